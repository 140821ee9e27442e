"""A studio whose database is PostgreSQL: everything that the file does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stagedoor import scan
from studio import Studio, frames, tree, until


@pytest.fixture
def studio(tmp_path: Path, postgresql_empty_url: str) -> Iterator[Studio]:
    made = Studio(tmp_path / "studio", database=postgresql_empty_url)
    made.start()
    yield made
    made.end()


def test_a_publish_goes_on_after_a_kill_and_ends_well(studio: Studio, tmp_path: Path) -> None:
    """Records and engine share one PostgreSQL; the hook is cut and runs again."""
    studio.accept_everything()
    runs = studio.folder / "runs"
    studio.hook(
        "publish-server",
        "import json, sys, time\n"
        "attempt = json.load(open(sys.argv[1]))['attempt']\n"
        f"open({str(runs)!r}, 'a').write(f'{{attempt}}\\n')\n"
        "time.sleep(60 if attempt == 1 else 0)\n",
    )
    vendor = studio.user("vendor@example.com")
    source = frames(tmp_path / "shot_v001", range(1, 20))
    session = studio.session(vendor)
    entries = scan([source])
    answer = session.publish(entries)
    tasks = [{"id": entry["id"], "source": entry["source"]} for entry in entries]
    job = session.create("job", {"tasks": tasks, "hooks": [{"when": "publish-server", "data": answer}]})
    session.upload(job)
    until(lambda: runs.exists() and runs.read_text() == "1\n")
    studio.kill()
    studio.start()
    job = studio.session(vendor).wait(job, seconds=60)
    assert (job["status"], job["attempts"]) == ("done", 2)
    assert runs.read_text() == "1\n2\n"
    assert tree(studio.volume / "in" / "shot_v001") == tree(source)
