"""Several processes on one database at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import some_records
from some_records import kept, user_of

from stagedoor.records import Records


@pytest.fixture(params=["shared_file", "postgresql_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite and PostgreSQL."""
    return str(request.getfixturevalue(request.param))


_SUBMIT = """
import sys
from some_records import NOW, job_of
from stagedoor.records import open_records
records = open_records(sys.argv[1])
offer = records.offers.offer(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(records.jobs.submit(job_of(offer), NOW).id)
records.close()
"""


def test_two_processes_that_submit_the_same_offer_get_one_job(records: Records, database_url: str) -> None:
    offer = kept(records, user_of(records), "/p/a")
    command = [sys.executable, "-c", _SUBMIT, database_url, offer.id]
    here = Path(some_records.__file__).parent
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=here) for _ in range(2)
    ]
    for process in both:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate()[0].strip() for process in both]
    job = records.jobs.job_of_offer(offer.id)
    assert job
    assert answers == [job.id, job.id]
