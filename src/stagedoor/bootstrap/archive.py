"""A home into one file, and back.

    stagedoor-backup/stagedoor.toml, database, tls/..., keys/..., runs/<id>/*.gz
    stagedoor-backup/manifest.json     what this is, and size and digest of every file above; the last in the archive

Rules
1. A backup may be made while the server runs. The database in it is of one moment; what is copied after that moment
   (records of hook runs) is not changed by anybody any more.
2. Stagings lie on the volumes and are not part of it, and neither is what has been placed. The engine's database is not
   part of it either: a server that starts finds in the jobs what has to go on. Nobody is signed in after a restore.
3. Nothing is overwritten: neither a file by a backup, nor a home by a restore. Both become visible when whole.
4. A restore believes nothing that the archive says before its digest has been compared.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from blake3 import blake3

from .. import config
from ..model.errors import BadRequest, Conflict
from ..records.copying import copy_database, is_file, load_database
from ..version import __version__
from .homes import now

FORMAT = 1
TOP = "stagedoor-backup"
MANIFEST = "manifest.json"
DATABASE = "database"
_KNOWN = re.compile(r"stagedoor\.toml|database|(tls|keys)/[A-Za-z0-9._-]+|runs/[0-9a-f]{24}/[a-z.]+\.gz")
_CHUNK = 1 << 20


def backup(folder: Path, target: Path) -> dict[str, Any]:
    """Write a home into a new file; what is in it. Raises Conflict where the file exists."""
    paths = config.Home(folder.absolute())
    paths.check()
    if target.exists():
        raise Conflict(f"{target} exists already; choose another name.", code="file_exists")
    if not target.parent.is_dir():
        raise BadRequest(f"{target.parent} is not a folder; make it first.")
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with tempfile.TemporaryDirectory(prefix="backup-", dir=paths.folder) as scratch:
            made = _write(paths, fresh, Path(scratch))
        os.link(fresh, target)  # unlike a rename this never replaces what has come there meanwhile
    except FileExistsError:
        raise Conflict(f"{target} exists already; choose another name.", code="file_exists") from None
    finally:
        fresh.unlink(missing_ok=True)
    return {"file": str(target), "size": target.stat().st_size, **_summary(made), "outside": _outside(paths)}


def _write(paths: config.Home, fresh: Path, scratch: Path) -> dict[str, Any]:
    copy_database(paths.database, scratch / DATABASE)
    files: dict[str, Any] = {}
    handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)  # keys are in it
    with os.fdopen(handle, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz", compresslevel=6) as archive:
        for name, path in ((DATABASE, scratch / DATABASE), *_files(paths)):
            with suppress(FileNotFoundError):  # a hook run that was forgotten meanwhile
                files[name] = _add(archive, name, path.read_bytes() if name != DATABASE else path)
        made = {
            "format": FORMAT,
            "version": __version__,
            "made": now(),
            "database": "sqlite" if is_file(paths.database) else "postgresql",
            "files": files,
        }
        _add(archive, MANIFEST, json.dumps(made, indent=1).encode())
        archive.close()
        stream.flush()
        os.fsync(stream.fileno())
    return made


def _files(paths: config.Home) -> Iterator[tuple[str, Path]]:
    for path in (
        paths.config,
        *sorted(paths.tls.glob("*")),
        *sorted(paths.keys.glob("*")),
        *sorted(paths.runs.glob("*/*.gz")),
    ):
        name = path.relative_to(paths.folder).as_posix()
        if _KNOWN.fullmatch(name) and path.is_file() and not path.is_symlink():
            yield name, path


def _add(archive: tarfile.TarFile, name: str, content: bytes | Path) -> dict[str, Any]:
    """Small files are read whole first: a length that changes in between would spoil the archive."""
    item = tarfile.TarInfo(f"{TOP}/{name}")
    item.mode, item.mtime = 0o600, now() // 1000
    hasher = blake3()
    if isinstance(content, bytes):
        item.size = len(content)
        hasher.update(content)
        archive.addfile(item, io.BytesIO(content))
    else:
        item.size = content.stat().st_size
        hasher.update_mmap(content)
        with content.open("rb") as stream:
            archive.addfile(item, stream)
    return {"size": item.size, "blake3": hasher.hexdigest()}


def _outside(paths: config.Home) -> list[str]:
    """What the server uses that lies elsewhere, and is not part of the backup."""
    serving = paths.serving()
    used = [serving.certificate, serving.key] if serving else []
    return [path for path in used if path and not Path(path).is_relative_to(paths.folder)]


def restore(source: Path, folder: Path, database: str = "") -> dict[str, Any]:
    """Make a new home of a backup; what was in it. `database`: an empty PostgreSQL one, where the backup is of one.

    Raises Conflict where the folder exists, BadRequest where the backup is not whole.
    """
    folder = folder.absolute()
    if folder.exists():
        raise Conflict(f"{folder} exists already; a backup is restored into a new folder.", code="home_exists")
    with _new_folder(folder) as fresh:
        made = _unpack(source, fresh)
        if (made["database"] == "postgresql") != bool(database):
            raise BadRequest(
                "This backup is of a server on PostgreSQL: give an empty one with --database postgresql://USER@HOST/NAME."
                if not database
                else "This backup holds a database in a file; leave --database out.",
                code="backup_database",
            )
        _settle(fresh, database)
        fresh.rename(folder)
    return {"home": str(folder), **_summary(made)}


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _unpack(source: Path, fresh: Path) -> dict[str, Any]:
    """Everything that the archive holds, compared with its manifest."""
    found: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] = {}
    try:
        with tarfile.open(source, "r|gz") as archive:
            for item in archive:
                name = item.name.removeprefix(f"{TOP}/")
                stream = archive.extractfile(item) if item.isreg() else None
                if stream is None or not (name == MANIFEST or _KNOWN.fullmatch(name)) or name in found:
                    raise BadRequest(f"{source} holds {item.name!r}, which no backup does.", code="backup_damaged")
                if name == MANIFEST:
                    manifest = json.load(stream)
                else:
                    found[name] = _keep(stream, fresh / name)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise BadRequest(f"{source} cannot be read as a backup: {error}", code="backup_damaged") from None
    if manifest.get("format") != FORMAT:
        raise BadRequest(f"{source} is no whole backup of this version or an earlier one.", code="backup_damaged")
    wrong = sorted(name for name in found.keys() | manifest["files"] if found.get(name) != manifest["files"].get(name))
    if wrong or DATABASE not in found or "stagedoor.toml" not in found:
        named = ", ".join(wrong[:5]) or "the database"
        raise BadRequest(f"{source} is damaged: {named} is not what was backed up.", code="backup_damaged")
    return manifest


def _keep(stream: Any, path: Path) -> dict[str, Any]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hasher, size = blake3(), 0
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as kept:
        while data := stream.read(_CHUNK):
            kept.write(data)
            hasher.update(data)
            size += len(data)
        kept.flush()
        os.fsync(kept.fileno())
    return {"size": size, "blake3": hasher.hexdigest()}


def _settle(fresh: Path, database: str) -> None:
    """The database goes where the configuration says it is."""
    if not database:
        (fresh / DATABASE).rename(fresh / "stagedoor.db")
    else:
        load_database(fresh / DATABASE, database)
        (fresh / DATABASE).unlink()
        text = (fresh / "stagedoor.toml").read_text()
        line = f"database = {json.dumps(database)}"
        (fresh / "stagedoor.toml").write_text(re.sub(r"(?m)^database\s*=.*$", lambda _: line, text))
    (fresh / "logs").mkdir()


def _summary(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": made["version"],
        "made": datetime.fromtimestamp(made["made"] / 1000, timezone.utc).isoformat(timespec="seconds"),
        "database": made["database"],
        "files": len(made["files"]),
    }
