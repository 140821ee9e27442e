"""Sends the bytes of one job, from whatever process, as often as needed.

Rules
1. What is missing is what the server says; nothing is remembered here.
2. Everything that will be sent is compared with what was validated before the first byte goes.
3. When all parts are through the server is asked again, until it misses nothing or the job has moved on.
4. A paused job, and entries on hold, are waited for as long as the server answers, and it is said so. What the studio
   left out is not sent.
5. What the server may have already is named first; what it does not take then is sent.
6. First contact fails at once; later a server that cannot be reached is waited for, `patience` seconds.
7. What will be wanted next is asked for at the same time: on a long line every question costs its time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from ..model import errors
from ..wire import calls
from ..wire.jobs import JobView, TaskView
from ..wire.parts import UploadView
from ..wire.reuse import ReuseView
from . import source
from .connection import Connection
from .courier import Sending
from .errors import ServerFault, ServerUnreachable, SourceChanged, TransferFailed
from .growth import MOST
from .limit import Limit
from .line import Line
from .pipe import Pipe
from .progress import Progress, Speed, Tell, eta
from .reuse import Reuse
from .source import Source

ASKING = 4
"""questions asked at a time, beside the parts"""
PATIENCE_SECONDS = 600.0
REUSE_PATIENCE_SECONDS = 60.0
ROUNDS_IN_VAIN = 3
REST_SECONDS = 2.0
_KEPT_BACK = ("onhold", "excluded")
_HELD = "The rest is on hold at the studio; waiting for it."

Stop = Callable[[], bool]
Result = TypeVar("Result")


class Sender:
    """Sends one job once: make a new one for every upload."""

    def __init__(
        self,
        connection: Connection,
        job_id: str,
        *,
        connections: int | None = None,
        limit: Limit | None = None,
        patience: float = PATIENCE_SECONDS,
        reuse: bool = True,
        tell: Tell | None = None,
        stop: Stop | None = None,
    ) -> None:
        if connections is not None and not 1 <= connections <= MOST:
            raise ValueError(f"connections must be 1 to {MOST}")
        self._connection = connection
        self._job_id = job_id
        self._connections = connections
        self._limit = limit
        self._patience = patience
        self._reuse = reuse
        self._reused = 0
        self._tell = tell or (lambda progress: None)
        self._stop = stop or (lambda: False)
        self._speed = Speed()
        self._sources: dict[str, Source] = {}
        self._asking = ThreadPoolExecutor(ASKING, "stagedoor-ask")
        self._over = threading.Event()
        self._met = False
        """whether the server has answered"""
        self._seen: Any = None
        """the job as the server said last, in plain JSON values"""
        self._looked_ahead = False
        self._found: dict[str, Future[Source | SourceChanged]] = {}
        """by task, what was looked for ahead"""
        self._reusable: Future[ReuseView] | None = None
        self._pipe: Future[Pipe] | None = None

    def send(self, known: Any = None) -> Any:
        """Send until nothing is missing, the job has left its upload, or `stop()` is true; the job as it is then.

        `known`: the job as the server gave it a moment ago, where that is at hand. Raises SourceChanged,
        TransferFailed, ServerUnreachable, and what the server refuses.
        """
        try:
            self._send(_takes_bytes(known) or self._patiently(self._look))
            if self._seen is None:
                self._look()
            return self._seen
        finally:
            self._over.set()
            self._asking.shutdown(wait=False, cancel_futures=True)
            if self._pipe:
                self._pipe.add_done_callback(_close)

    def _send(self, job: JobView) -> None:
        in_vain = 0
        while job.phase == "upload" and not self._stop():
            missing = self._missing(job)
            if self._rests(job, missing):
                self._rest(job)
            elif not missing:
                self._seen = None  # it has moved on meanwhile
                return
            else:
                sendings = self._sendings(job, missing)
                if self._reuse and self._taken(job, missing):
                    continue  # the uploads alone are asked again: where all has arrived they say so
                moved = self._round(job, [view for _, view in missing], sendings)
                in_vain = 0 if moved else in_vain + 1
                if in_vain >= ROUNDS_IN_VAIN:
                    raise TransferFailed("The server takes the bytes but goes on missing them; tell the studio.")
            job = self._patiently(self._look)

    def _look(self) -> JobView:
        job: JobView
        self._seen, job = self._connection.fetch_both(calls.JOB, {"id": self._job_id})
        return job

    def _missing(self, job: JobView) -> list[tuple[TaskView, UploadView]]:
        """The tasks that lack bytes and may have them."""
        if job.status == "paused":
            return []
        tasks = [task for task in job.tasks if task.status not in _KEPT_BACK]
        asked = [self._asking.submit(self._view, task) for task in tasks]
        self._look_ahead(job, tasks)
        views = [coming.result() for coming in asked]
        return [(task, view) for task, view in zip(tasks, views, strict=True) if not view.complete]

    def _rests(self, job: JobView, missing: list[tuple[TaskView, UploadView]]) -> bool:
        """Whether nothing can be sent for now."""
        on_hold = any(task.status == "onhold" and task.received < task.size for task in job.tasks)
        closed = any(not view.open for _, view in missing)  # paused or held a moment ago: the job says so next
        return job.status == "paused" or (on_hold and not missing) or closed

    def _rest(self, job: JobView) -> None:
        self._told(job.received, job.size, 0, job.error if job.status == "paused" else _HELD)
        self._found.clear()  # what lies on this disk may be different by then
        time.sleep(REST_SECONDS)

    def _view(self, task: TaskView) -> UploadView:
        view: UploadView = self._patiently(lambda: self._connection.fetch(calls.UPLOAD, {"id": task.upload}))
        return view

    def _look_ahead(self, job: JobView, tasks: list[TaskView]) -> None:
        """Once: ask what will be wanted when it is known which bytes are missing."""
        lacking = [task for task in tasks if task.received < task.size]
        if self._looked_ahead or not lacking:
            return
        self._looked_ahead = True
        self._pipe = self._asking.submit(Pipe, self._connection.route)
        if self._reuse:
            self._reusable = self._asking.submit(self._ask_reusable)
        for task in lacking:
            self._found[task.id] = self._asking.submit(self._look_for, job, task)

    def _opened(self) -> Pipe | None:
        """The connection that was opened ahead, the first time."""
        coming, self._pipe = self._pipe, None
        with suppress(ServerUnreachable):
            return coming.result() if coming else None
        return None  # then the line waits for the server, and says so

    def _ask_reusable(self) -> ReuseView:
        view: ReuseView = self._connection.fetch(calls.REUSABLE, {"id": self._job_id})
        return view

    def _sendings(self, job: JobView, missing: list[tuple[TaskView, UploadView]]) -> list[Sending]:
        self._find([task for task, _ in missing if task.id not in self._sources], job)
        return [Sending(view, self._sources[task.id]) for task, view in missing]

    def _find(self, tasks: list[TaskView], job: JobView) -> None:
        """The files of these tasks on this disk. Raises SourceChanged with the differences of all."""
        for task in tasks:
            if task.id not in self._found:
                self._found[task.id] = self._asking.submit(self._look_for, job, task)
        changes: list[source.Change] = []
        for task in tasks:
            found = self._found.pop(task.id).result()
            if isinstance(found, SourceChanged):
                changes += [(change["path"], change["reason"]) for change in found.details["files"]]
            else:
                self._sources[task.id] = found
        if changes:
            raise source.changed(changes)

    def _look_for(self, job: JobView, task: TaskView) -> Source | SourceChanged:
        entry = self._patiently(lambda: self._connection.fetch(calls.TASK_FILES, {"id": job.id, "task": task.id}))
        try:
            return source.find(entry, task.source)
        except SourceChanged as error:
            return error

    def _taken(self, job: JobView, missing: list[tuple[TaskView, UploadView]]) -> bool:
        """Once: have the server take what it has already; whether anything may be less missing now."""
        self._reuse = False
        there = job.size - sum(view.size - view.received for _, view in missing)
        files = sum(len(self._sources[task.id].files) for task, _ in missing)
        patience = min(self._patience, REUSE_PATIENCE_SECONDS)
        reuse = Reuse(
            self._connection,
            self._job_id,
            self._sources,
            patiently=lambda ask: self._patiently(ask, patience),
            stop=self._stop,
        )

        def tell(taken: int) -> None:
            self._reused = taken
            self._told(there + taken, job.size, files, "")

        reuse.run(self._reusable.result if self._reusable else self._ask_reusable, tell)
        self._speed = Speed()  # what was not sent says nothing about the line
        return reuse.asked

    def _round(self, job: JobView, views: list[UploadView], sendings: list[Sending]) -> bool:
        """Send what these uploads miss; whether any byte got through."""
        before = sum(view.received for view in views)
        there = job.size - sum(view.size for view in views)
        files = sum(len(sending.source.files) for sending in sendings)

        def tell(received: int, message: str) -> None:
            self._told(there + received, job.size, files, message)

        line = Line(self._connection, sendings, self._connections, self._patience, self._limit, self._opened())
        tell(before, "")
        line.run(tell, self._stop)
        tell(line.received, "")
        return line.received > before

    def _told(self, sent: int, total: int, files: int, message: str) -> None:
        speed = self._speed.at(time.monotonic(), sent)
        self._tell(
            Progress(
                sent=sent,
                total=total,
                files=files,
                speed=speed,
                eta_seconds=eta(total - sent, speed),
                reused=self._reused,
                message=message,
            )
        )

    def _patiently(self, ask: Callable[[], Result], patience: float | None = None) -> Result:
        """Ask until an answer comes, for `patience` seconds; the first question of all must be answered at once."""
        deadline = time.monotonic() + (self._patience if patience is None else patience)
        while True:
            try:
                answer = ask()
            except (ServerUnreachable, ServerFault, errors.Busy) as error:
                hopeless = not self._met or error.error_code == "tls_refused"
                if hopeless or time.monotonic() >= deadline or self._stop() or self._over.wait(1.0):
                    raise
            else:
                self._met = True
                return answer


def _takes_bytes(known: Any) -> JobView | None:
    """A job that is worth asking its uploads of: they say what has changed since."""
    try:
        job = msgspec.convert(known, JobView)
    except msgspec.ValidationError:  # an id alone, or without its tasks
        return None
    return job if job.phase == "upload" and job.status in ("waiting", "running") and job.tasks else None


def _close(coming: Future[Pipe]) -> None:
    if not coming.cancelled() and not coming.exception():
        coming.result().close()
