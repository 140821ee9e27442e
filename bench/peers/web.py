"""nginx takes files by PUT; one curl sends 8 at a time. Clear and TLS.

nginx writes a body to a file of the same file system and renames it. The client waits for no "100 Continue", which
would cost a turn of the line for every file above 1 MB.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from urllib.parse import quote

from .. import ground
from ..contestant import PARALLEL, Attempt, Contestant, program
from ..loads import Load
from ..processes import Server

CONFIG = """
worker_processes {cores};
daemon off;
user {user};
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/incoming;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    proxy_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; uwsgi_temp_path {folder}/t3; scgi_temp_path {folder}/t4;
    keepalive_requests 1000000;
    server {{
        listen {host}:{port}{ssl};
        {certificate}
        root {files};
        location / {{ dav_methods PUT; create_full_put_path on; dav_access user:rw; }}
    }}
}}
"""


class Nginx(Contestant):
    name = "nginx"
    words = "nginx PUT, curl with 8 at a time"
    http = True

    def start(self) -> None:
        nginx, self._curl = program("nginx"), program("curl")
        self._port = self.place.free_port()
        certificate = ""
        if self.tls:
            cert, key = make_certificate(self.folder, self.place.host)
            certificate = f"ssl_certificate {cert}; ssl_certificate_key {key};"
        config = self.folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                cores=os.cpu_count(),
                user=pwd.getpwuid(os.getuid()).pw_name,
                folder=self.folder,
                files=self.ground,
                host=self.place.host,
                port=self._port,
                ssl=" ssl" if self.tls else "",
                certificate=certificate,
            )
        )
        command = [nginx, "-e", str(self.folder / "error.log"), "-p", str(self.folder), "-c", str(config)]
        self._server = Server(self.place, command, self._port, self.folder / "log")

    def prepare(self, load: Load, source: Path) -> Attempt:
        scheme = "https" if self.tls else "http"
        listed = curl_list(load, source, f"{scheme}://{self.place.host}:{self._port}", self.folder / "curl.list")
        trust = ["--cacert", str(self.folder / "cert.pem")] if self.tls else []
        return Attempt(curl(self._curl, listed, ["--header", "Expect:", *trust]))

    def arrived(self) -> int:
        return super().arrived() + ground.arrived(self.folder / "incoming")

    def clear(self, trash: ground.Trash) -> None:
        super().clear(trash)
        trash.take(self.folder / "incoming")


class NginxTls(Nginx):
    name = "nginx-tls"
    words = "nginx PUT, curl with 8 at a time, TLS"
    tls = True


def curl(program: str, listed: Path, more: list[str]) -> list[str]:
    parallel = ["--parallel", "--parallel-max", str(PARALLEL)]
    return [program, "-q", "--silent", "--show-error", "--fail", *parallel, *more, "--config", str(listed)]


def curl_list(load: Load, source: Path, url: str, file: Path) -> Path:
    """What curl shall send where, a pair of lines for each file."""
    lines = []
    for path in load.paths():
        lines.append(f'upload-file = "{source / path}"\nurl = "{url}/{quote(f"{source.name}/{path}")}"\n')
    file.write_text("".join(lines))
    return file


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}"]
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command = [program("openssl"), *made, "-keyout", str(key), "-out", str(cert), *subject]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key
