"""From an answered offer to a job that has ended; also where an earlier process stopped.

Rules
1. An unfinished job of exactly these paths, on this computer, is gone on with.
2. The upload and the wait are repeated as long as the proof asks for bytes again.
3. A job that is still under way when the wait ends is no failure.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import exits
from .screen import jobs
from .screen.bar import Bar
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session
    from ..client.scan import Scan

Job = dict[str, Any]
POLL_SECONDS = (0.2, 0.3, 0.5, 1.0, 2.0)


def unfinished(page: Page, session: Session, scanned: Scan) -> Job | None:
    """The user's newest unfinished job whose sources are exactly these."""
    sources = set(scanned.sources.values())
    for job in session.find("Job"):
        if job.get("hostname") != socket.gethostname():
            continue
        full = session.get_entity("Job", job["id"])
        if full and {task["source"] for task in full.get("tasks") or ()} == sources:
            page.note(f"Found unfinished job {full['id']} ({full['code']}); continuing. --new starts afresh.", "bold")
            return dict(full)
    return None


def submit(
    session: Session,
    scanned: Scan,
    chosen: list[dict[str, Any]],
    filled: Mapping[str, Mapping[str, Any]],
    code: str | None,
) -> Job:
    """Make the job."""
    ids = [str(entry["id"]) for entry in chosen]
    name = code or str(chosen[0]["filename"])
    job: Job = session.create(
        "job",
        {
            "code": name,
            "tasks": [{"id": id_, "source": scanned.sources[id_]} for id_ in ids],
            "hooks": [
                {"when": "publish-server", "data": {"files": [{"id": id_, **filled[id_]} for id_ in ids]}},
            ],
        },
    )
    return job


def carry_out(page: Page, session: Session, job: Job, wait: float | None) -> Job:
    """Send what is missing and wait for the studio, until the job has ended or `wait` seconds of waiting are over."""
    page.context["job"] = job
    deadline = None
    while not jobs.ended(job):
        if job["phase"] == "upload":
            job = _upload(page, session, job)
            page.note("Everything has arrived; you may close this window.", "green")
        if deadline is None and wait is not None:
            deadline = time.monotonic() + wait
        job = _watch(page, session, job, deadline)
        page.context["job"] = job
        if job["phase"] != "upload":
            break
        page.note("The studio found bytes that must come again; sending them.", "yellow")
    return job


def _upload(page: Page, session: Session, job: Job) -> Job:
    try:
        with Bar(f"Sending {job['code']}") as bar:
            session.upload(job, progress=lambda progress: bar.show(progress.done, progress.total))
    except KeyboardInterrupt:
        page.note(f"\nNothing that was sent is lost. To go on: stagedoor job resume {job['id']}, or the same command.")
        raise
    return _current(session, job)


def _current(session: Session, job: Job) -> Job:
    return dict(session.get_entity("Job", job["id"]) or job)


def _watch(page: Page, session: Session, job: Job, deadline: float | None) -> Job:
    """Wait until the job has ended, or wants bytes again, or the time is over."""
    told = ""
    polls = 0
    while not jobs.ended(job) and job["phase"] != "upload":
        if jobs.state(job) != told:
            told = jobs.state(job)
            page.note(f"The job {told}." if not told.startswith("running: ") else f"The job {told[9:]}.")
        pause = POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)]
        if deadline is not None:
            pause = min(pause, deadline - time.monotonic())
            if pause <= 0:
                break
        time.sleep(pause)
        polls += 1
        job = _current(session, job)
    return job


def conclude(page: Page, job: Job) -> int:
    """The last words, and the exit code they mean."""
    status = job.get("status")
    if status == "done":
        jobs.summary(page, job)
        return exits.DONE
    if jobs.ended(job):
        page.complain(str(job.get("error") or f"The job {job['id']} was {status}."))
        page.note(jobs.what_next(job))
        return exits.HOOK if status == "failed" and job.get("phase") == "ingest" else exits.TRANSFER
    page.say(f"The job {job['id']} is not finished yet ({jobs.state(job)}).")
    page.say(f"{jobs.what_next(job)} Look again: stagedoor job show {job['id']}")
    return exits.DONE
