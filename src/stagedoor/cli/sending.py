"""From an answered offer to a job that has ended; also where an earlier process stopped.

Rules
1. An unfinished job of exactly these paths, on this computer, is gone on with; of some of them only where leaving
   entries out was asked for.
2. The upload and the wait are repeated as long as the proof asks for bytes again.
3. A job that is still under way when the wait ends is no failure.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..client.errors import ServerUnreachable, SourceChanged
from ..client.progress import wants_bytes
from ..client.query import quoted
from . import exits
from .screen import jobs
from .screen.bar import Bar
from .screen.numbers import size, spoken
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session
    from ..client.scan import Scan

Job = dict[str, Any]
PATIENCE_SECONDS = 600.0
PAUSE_SECONDS = 2.0
TOLD_AFTER_SECONDS = 2.0
"""of waiting for the job to be made"""


def unfinished(page: Page, session: Session, scanned: Scan, *, partial: bool = False) -> Job | None:
    """The user's newest unfinished job of these sources on this computer; with `partial`, of some of them."""
    sources = set(scanned.sources.values())
    for found in session.find(f"Job WHERE user={quoted(session.username)}"):
        if found["hostname"] != socket.gethostname():
            continue
        job = session.get_entity("Job", found["id"])
        inside = {task["source"] for task in job["tasks"]} if job else set()
        if job and (inside == sources or (partial and inside and inside < sources)):
            tell_found(page, job, sorted(sources - inside))
            return job
    return None


def tell_found(page: Page, job: Job, left_out: list[str]) -> None:
    """Say which job is gone on with; `left_out` are paths that are no part of it."""
    found = f"job {job['id']} ({job['code']})"
    words = (
        f"Found {found} of these files; it has failed." if jobs.ended(job) else f"Found unfinished {found}; continuing."
    )
    page.note(f"{words} {jobs.placed(job) or '--new starts afresh.'}", "bold")
    if left_out:
        page.note(f"Not part of it: {spoken(left_out, 5)}.", "yellow")


def submit(
    page: Page,
    session: Session,
    scanned: Scan,
    chosen: list[dict[str, Any]],
    filled: Mapping[str, Mapping[str, Any]],
    code: str | None,
    queue: str | None = None,
) -> Job:
    """Make the job. Where a program of the studio looks at it first, and takes its time, that is said."""
    ids = [str(entry["id"]) for entry in chosen]
    name = code or str(chosen[0]["filename"])
    with _said_where_slow(page):
        job: Job = session.create(
            "job",
            {
                "code": name,
                **({"queue": queue} if queue else {}),
                "tasks": [{"id": id_, "source": scanned.sources[id_]} for id_ in ids],
                "hooks": [
                    {"when": "publish-server", "data": {"files": [{"id": id_, **filled[id_]} for id_ in ids]}},
                ],
            },
        )
    return job


@contextmanager
def _said_where_slow(page: Page) -> Iterator[None]:
    waiting = threading.Timer(TOLD_AFTER_SECONDS, page.note, ["The studio is looking at the job ..."])
    waiting.daemon = True
    waiting.start()
    try:
        yield
    finally:
        waiting.cancel()


def carry_out(
    page: Page,
    session: Session,
    job: Job,
    wait: float | None,
    *,
    send: bool = True,
    reuse: bool = True,
    limit: float = 0,
) -> Job:
    """Send what is missing and wait for the studio, until the job has ended or `wait` seconds of waiting are over.

    Without `send` it ends where the studio wants bytes; without `reuse` what the studio has already is sent again.
    """
    page.context["job"] = job
    deadline = None
    told = Teller(page)
    if send and wants_bytes(job) and job["received"]:
        page.note(f"{size(job['received'])} of {size(job['size'])} are there already.")
    while send or not wants_bytes(job):
        if wants_bytes(job):
            job = _upload(page, session, job, reuse, limit)
        if wants_bytes(job) and jobs.ended(job):
            return job
        if job["phase"] in ("upload", "prove") and not jobs.ended(job):
            page.note("Everything has arrived; you may close this window.", "green")
        if deadline is None and wait is not None:
            deadline = time.monotonic() + wait
        job = page.context["job"] = _wait(page, session, job, deadline, told)
        if not wants_bytes(job):
            return job
        page.note("The studio found bytes that must come again.", "yellow")
    return job


class Teller:
    """Says where the job stands, whenever that has changed."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._said = ""

    def __call__(self, job: Job) -> None:
        words = jobs.standing(job)
        if words != self._said and not jobs.ended(job) and (job["phase"] != "upload" or job["status"] == "paused"):
            self._said = words
            self._page.note(f"The job {words}.")


def _upload(page: Page, session: Session, job: Job, reuse: bool, limit: float) -> Job:
    try:
        with Bar(f"Sending {job['code']}") as bar:
            sent = session.upload(job, progress=bar.show, reuse=reuse, limit=limit)
        if bar.reused:
            page.note(f"{size(bar.reused)} were at the studio already.")
        return sent
    except SourceChanged:
        page.note(
            "Put the files back as they were and run it again; or give the job up, and publish them as they are now: "
            f"stagedoor job abort {job['id']}"
        )
        raise
    except KeyboardInterrupt:
        page.note(f"Nothing that was sent is lost. To go on: stagedoor job resume {job['id']}, or the same command.")
        raise


def _wait(page: Page, session: Session, job: Job, deadline: float | None, told: Teller) -> Job:
    """`Session.wait`, going on when the server is away for a while."""
    lost: float | None = None
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            return session.wait(job, left, progress=told)
        except KeyboardInterrupt:
            page.note(f"The studio goes on by itself. Look again: stagedoor job show {job['id']}")
            raise
        except ServerUnreachable:
            now = time.monotonic()
            if lost is None:
                lost = now
                page.note("The server does not answer just now; waiting for it.", "yellow")
            if left == 0 or now - lost > PATIENCE_SECONDS:
                raise
            time.sleep(PAUSE_SECONDS)


def fault(job: Job) -> dict[str, Any] | None:
    """Why a job has ended without being done, as the `error` of an answer; None of every other job."""
    status = job.get("status")
    if status == "done" or not jobs.ended(job):
        return None
    reference = {"reference": job["reference"]} if jobs.reference(job) else {}
    return {
        "code": job.get("error_code") or status,
        "message": job.get("error") or f"The job {job['id']} {'was aborted' if status == 'aborted' else 'has failed'}.",
        "details": {"job": job["id"], "phase": job.get("phase"), **reference},
    }


def conclude(page: Page, job: Job) -> int:
    """The JSON answer, the last words, and the exit code they mean."""
    page.context["job"] = job
    error = fault(job)
    if error:
        page.failed(error)
        page.complain(error["message"])
        if jobs.reference(job) and job["reference"] not in error["message"]:
            page.note(f"Tell the studio the reference {job['reference']}.")
        jobs.advise(page, job)
        return exits.HOOK if job["status"] == "failed" and job.get("phase") == "ingest" else exits.TRANSFER
    page.answer(page.context)
    if job.get("status") == "done":
        jobs.summary(page, job)
        return exits.DONE
    page.say(f"The job {job['id']} is not finished yet ({jobs.state(job)}).")
    page.say(f"{jobs.what_next(job)} Look again: stagedoor job show {job['id']}")
    return exits.DONE
