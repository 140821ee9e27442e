"""One studio that many tests share, and the plain HTTP that they speak to it.

Every test takes a vendor of its own (`house.vendor()`), names of its own (`fresh`), and tells the studio's hook what to
say to that vendor (`vendor.plan`); so tests do not meet.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from blake3 import blake3

from studio import Account, Studio, until

V1 = "/api/v1"

HOOK = """
import json, pathlib, sys
data = json.load(open(sys.argv[1]))
plan = pathlib.Path({plans!r}) / (data["user"] + ".json")
said = json.loads(plan.read_text()) if plan.exists() else {{}}
exec(said.get("run", ""))
for entry in data["files"]:
    default = {{"can_publish": True, "path": "volume=projects/in/" + entry["filename"]}}
    entry.update(said.get("files", {{}}).get(entry["filename"], default))
json.dump({{"files": data["files"], **said.get("form", {{}})}}, open(sys.argv[2], "w"))
"""

PUBLISHED = """
import json, pathlib, sys
text = open(sys.argv[1]).read()
(pathlib.Path({folder!r}) / (json.loads(text)["id"] + ".json")).write_text(text)
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code, to be compared in one go."""
        return self.status, self.code


class House:
    """A running studio; `admin` asks with every right."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.plans = studio.folder / "plans"
        self.plans.mkdir()
        self.ingested = studio.folder / "ingested"
        self.ingested.mkdir()
        studio.hook("pre-publish-server", HOOK.format(plans=str(self.plans)))
        studio.hook("publish-server", PUBLISHED.format(folder=str(self.ingested)))
        self.pool = urllib3.PoolManager(retries=False, timeout=30, maxsize=8)
        self.admin = Person(self, studio.admin)

    def vendor(self, role: str = "standard") -> Person:
        code = f"{role}-{uuid.uuid4().hex[:12]}@example.com"
        made = self.admin.post("/users", {"code": code, "role": role}).json
        return Person(self, Account(made["user"], made["id"], made["api_key"]))

    def ingests(self, further: str) -> None:
        """Have the publish hook do more: `text` is what it was given."""
        script = self.studio.folder / "publish-server.py"
        script.write_text(script.read_text() + further)

    @contextmanager
    def setting(self, name: str, value: bool | int | str) -> Iterator[None]:
        answer = self.admin.ask("PUT", f"/settings/{name}", {"value": value})
        assert answer.status == 200, answer
        try:
            yield
        finally:
            assert self.admin.ask("DELETE", f"/settings/{name}").status == 204

    def write(self, sql: str, *values: object) -> None:
        """Change the database behind the server's back."""
        with closing(sqlite3.connect(self.studio.home / "stagedoor.db", timeout=30)) as database, database:
            database.execute(sql, values)

    def published(self, job_id: str) -> dict[str, Any]:
        """What the publish hook was given for a job."""
        return dict(json.loads((self.ingested / f"{job_id}.json").read_text()))

    @property
    def log(self) -> str:
        return (self.studio.home / "logs" / "server.log").read_text()

    def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: Any = None, **options: Any
    ) -> Answer:
        """A request as it is: nothing is added."""
        url = path if path.startswith(("/healthz", "/metrics")) else V1 + path
        answer = self.pool.request(
            method, self.studio.url + url, headers=headers or {}, body=body, redirect=False, **options
        )
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def fetch(self, address: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
        """An address of the pages; what comes packed stays packed."""
        url = self.studio.url + address
        with self.pool.request(
            method, url, headers=headers or {}, redirect=False, preload_content=False, enforce_content_length=False
        ) as answer:
            body = answer.read(decode_content=False)
            answer.release_conn()
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)


class Person:
    """Somebody with an API key."""

    def __init__(self, house: House, account: Account) -> None:
        self.house = house
        self.code, self.id, self.api_key = account.code, account.id, account.api_key
        self.account = account

    @property
    def credentials(self) -> dict[str, str]:
        return basic(self.code, self.api_key)

    def ask(
        self, method: str, path: str, data: Any = None, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """`data` travels as JSON, `body` as it is."""
        given = {**self.credentials, **(headers or {})}
        if data is not None:
            body = json.dumps(data).encode()
            given.setdefault("Content-Type", "application/json")
        return self.house.send(method, path, headers=given, body=body)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, data: Any = None) -> Answer:
        return self.ask("POST", path, {} if data is None else data)

    # --- publishing

    def plan(self, files: dict[str, dict[str, Any]] | None = None, *, run: str = "", **form: Any) -> None:
        """What the hook says to this vendor: keys per filename, the form, or code to run instead."""
        plan = {"form": form, "run": run, **({"files": files} if files else {})}
        (self.house.plans / f"{self.id}.json").write_text(json.dumps(plan))

    def offer(self, *entries: dict[str, Any], **more: Any) -> Answer:
        return self.post("/offers", {"files": list(entries), **more})

    def offered(self, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = self.offer(*entries, **more)
        assert answer.status == 201, answer.body
        return dict(answer.json)

    def submit(self, *ids: str, files: list[dict[str, Any]] | None = None, **more: Any) -> Answer:
        """`files`: what is sent back of the offer, as data of the publish hook."""
        hooks = {} if files is None else {"hooks": [{"when": "publish-server", "data": {"files": files}}]}
        tasks = [{"id": id, "source": f"/vendor/{id}"} for id in ids]
        return self.post("/jobs", {"tasks": tasks, **hooks, **more})

    def job(self, *entries: dict[str, Any], files: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """A new job of these entries, of which no byte has been sent."""
        self.offered(*entries)
        answer = self.submit(*(entry["id"] for entry in entries), files=files)
        assert answer.status == 201, answer.body
        return dict(answer.json)

    def part(self, upload: str, data: bytes, *, start: int = 0, total: int, **headers: str) -> Answer:
        """One part; `headers` (with `_` for `-`) replace the right ones, or leave them out where empty."""
        given = {
            "Content-Range": f"bytes {start}-{start + len(data) - 1}/{total}",
            "Content-Digest": sha256(data),
            **{name.replace("_", "-").title(): value for name, value in headers.items()},
        }
        return self.ask("PUT", f"/uploads/{upload}", body=data, headers={k: v for k, v in given.items() if v})

    def send_all(self, job: dict[str, Any]) -> None:
        for task in job["tasks"]:
            if task["size"]:
                answer = self.part(task["upload"], bytes(task["size"]), total=task["size"])
                assert answer.status == 200, answer.body

    def done(self, *entries: dict[str, Any], files: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """A job that has gone all the way."""
        job = self.job(*entries, files=files)
        self.send_all(job)
        return self.ended(job["id"])

    def ended(self, job_id: str) -> dict[str, Any]:
        until(lambda: self.get(f"/jobs/{job_id}").json["status"] in ("done", "failed", "aborted"), every=0.05)
        return dict(self.get(f"/jobs/{job_id}").json)


def basic(code: str, key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{code}:{key}".encode()).decode()}


def fresh(name: str = "shot") -> str:
    """A name that no other test uses."""
    stem, dot, suffix = name.partition(".")
    return f"{stem}_{uuid.uuid4().hex[:10]}{dot}{suffix}"


def file(name: str = "", size: int = 3, **more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "filename": name or fresh("clip.mov"), "size": size, "is_dir": False, **more}


def folder(name: str = "", **sizes: int) -> dict[str, Any]:
    """An entry with these files: `folder(a=1, b=2)`."""
    inner = [{"filename": key, "size": size} for key, size in sizes.items()]
    return {"id": str(uuid.uuid4()), "filename": name or fresh("shot"), "is_dir": True, "files": inner}


def sha256(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def b3(data: bytes) -> str:
    return f"blake3=:{base64.b64encode(blake3(data).digest()).decode()}:"


def below(volume: Path) -> list[str]:
    """What has been placed on a volume."""
    return sorted(path.relative_to(volume).as_posix() for path in volume.rglob("*") if ".stagedoor" not in path.parts)
