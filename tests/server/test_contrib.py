"""What lies in `contrib/` works: a publish through a real nginx and Caddy with our files; a unit systemd accepts."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from stagedoor.api.certificate import self_signed
from stagedoor.api.server import Tls
from studio import Account, Studio, clean, frames, free_port, tree, until

CONTRIB = Path(__file__).parents[2] / "contrib"
MIB = 2**20

WRAPPER = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u;
    scgi_temp_path {folder}/s;
    include {folder}/stagedoor.conf;
}}
"""


CADDY = """
{{
	admin off
	auto_https disable_redirects
	grace_period 1s
	storage file_system {folder}/storage
	log {{
		output file {folder}/caddy.log
	}}
}}
"""


def ours(name: str, *places: tuple[str, str]) -> str:
    """A file of `contrib/`, with the places of this test in it."""
    text = (CONTRIB / name).read_text()
    for there, here in places:
        assert text.count(there) == 1, there
        text = text.replace(there, here)
    return text


def program(name: str) -> str:
    found = shutil.which(name) or f"/usr/sbin/{name}"
    if not Path(found).exists():
        pytest.fail(f"{name} is not installed: run `sh scripts/system-packages.sh`", pytrace=False)
    return found


def nginx(folder: Path, port: int, tls: Tls, server: int) -> list[str]:
    """The command that runs it."""
    text = ours(
        "nginx.conf",
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("127.0.0.1:8181", f"127.0.0.1:{server}"),
        ("/etc/ssl/stagedoor/chain.pem", str(tls.cert)),
        ("/etc/ssl/stagedoor/key.pem", str(tls.key)),
    )
    (folder / "stagedoor.conf").write_text(text)
    (folder / "nginx.conf").write_text(WRAPPER.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    return [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, tls: Tls, server: int) -> list[str]:
    """The command that runs it, with a certificate of ours: Caddy's own needs a name that the world can reach."""
    text = ours(
        "Caddyfile",
        ("publish.studio.example {", f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {tls.cert} {tls.key}"),
        ("127.0.0.1:8181", f"127.0.0.1:{server}"),
    )
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder) + text)
    return [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """A proxy, whose own files are in `folder`, from when it takes connections on."""
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=clean(HOME=str(folder), XDG_DATA_HOME=str(folder))
        )
    try:
        until(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "output").read_text()
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_publish_goes_through_a_proxy(tmp_path: Path, proxy: Callable[[Path, int, Tls, int], list[str]]) -> None:
    """TLS at the proxy; parts larger than proxies take by default, none of which it puts onto a disk of its own."""
    studio = Studio(tmp_path / "studio")
    studio.accept_everything()
    vendor = studio.user("vendor@example.com")
    source = frames(tmp_path / "shot_v001", range(4), 5 * MIB)
    folder, port = tmp_path / "proxy", free_port()
    folder.mkdir()
    tls = self_signed(tmp_path / "tls", "localhost")
    studio.start("--behind-proxy", "--access-log")
    studio.wait_ready()
    try:
        with running(proxy(folder, port, tls, studio.port), port, folder):
            url = f"https://localhost:{port}"
            done = studio.client(
                vendor, "publish", str(source), "--url", url, "--tls-fingerprint", tls.fingerprint, timeout=90
            )
            assert done.returncode == 0, done.stdout + done.stderr
            pool = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=str(tls.cert))
            assert pool.request("GET", f"{url}/metrics").status == 404
            assert pool.request("GET", f"{url}/healthz").status == 200
            hear(pool, url, vendor)
            sign_in(pool, url, json.loads(studio.command("user", "invite", vendor.code, "--json"))["url"])
        assert tree(studio.volume / "in" / "shot_v001") == tree(source)
        assert [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > MIB] == []
        log = (studio.home / "logs" / "server.log").read_text()
        assert "PUT /api/v1/uploads/" in log and "ip=127.0.0.1" in log
        if proxy is nginx:
            assert "buffered to a temporary file" not in (folder / "error.log").read_text()
    finally:
        studio.end()


def hear(pool: urllib3.PoolManager, url: str, who: Account) -> None:
    """Events come as they happen: the proxy does not keep them back."""
    headers = urllib3.make_headers(basic_auth=f"{who.code}:{who.api_key}")
    with pool.request("GET", f"{url}/api/v1/events", headers=headers, preload_content=False, timeout=20) as answer:
        heard = b""
        while b"event: start" not in heard:
            heard += answer.read1() or pytest.fail("the stream ended")


def sign_in(pool: urllib3.PoolManager, url: str, invitation: str) -> None:
    """As a page does: the proxy passes on how it was asked."""
    page = {"X-Stagedoor-Page": "1", "Origin": url}
    body = json.dumps({"token": invitation.partition("#")[2], "password": "correct horse battery"})
    answer = pool.request("POST", f"{url}/api/v1/sign-in/redeem", headers=page, body=body)
    assert answer.status == 200, answer.data
    assert answer.headers["Set-Cookie"].startswith("__Host-stagedoor=")
    page["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
    made = pool.request("POST", f"{url}/api/v1/me/keys", headers=page, body="{}")
    assert made.status == 201, made.data
    elsewhere = {**page, "Origin": "https://localhost:1"}
    assert pool.request("POST", f"{url}/api/v1/me/keys", headers=elsewhere, body="{}").status == 403


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """With the programs where this test has them."""
    here = Path(sys.executable).with_name("stagedoor")
    text = (CONTRIB / "stagedoor.service").read_text().replace("/opt/stagedoor/bin/stagedoor", str(here))
    unit = tmp_path / "stagedoor.service"
    unit.write_text(text.replace("User=stagedoor", "User=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    about_us = [line for line in (done.stdout + done.stderr).splitlines() if "stagedoor.service" in line]
    assert about_us == []


def test_the_commands_of_the_unit_are_ours(tmp_path: Path) -> None:
    """Every option that it gives is one that the command has."""
    for line in (CONTRIB / "stagedoor.service").read_text().splitlines():
        if line.startswith("Exec"):
            words = line.partition("=")[2].split()[1:]
            here = str(Path(sys.executable).with_name("stagedoor"))
            said = subprocess.run([here, words[0], "--help"], capture_output=True, text=True, check=True).stdout
            assert all(word in said for word in words if word.startswith("--"))
