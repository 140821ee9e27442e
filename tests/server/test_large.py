"""Offers as large as they come: answered within bounded memory. How long that takes `make bench` measures."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from studio import Studio

FILES = 100_000
PEAK_BYTES = 300_000_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_an_offer_of_100_000_files_is_answered_within_300_mb(studio: Studio) -> None:
    """All memory of the server counts, from its start; the hook's own does not."""
    studio.accept_everything()
    frames = [
        {"filename": f"sq010_sh0010_comp_v001.{number:07}.exr", "size": 4096, "modified": 1_700_000_000_000 + number}
        for number in range(FILES)
    ]
    entry = {"id": str(uuid.uuid4()), "filename": "sq010_sh0010_comp_v001", "is_dir": True, "files": frames}
    with studio.session(studio.user("vendor@example.com")) as session:
        answer = session.publish([entry])
    assert answer["files"][0]["can_publish"] is True
    assert answer["files"][0]["size"] == FILES * 4096
    assert peak_of(studio) < PEAK_BYTES


def peak_of(studio: Studio) -> int:
    """The largest resident memory that the server's one process has had, in bytes."""
    assert studio.process
    status = Path(f"/proc/{studio.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
