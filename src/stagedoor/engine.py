"""The one module that knows DBOS: it runs the steps of a job, and runs them again after a crash.

Rules
1. The job's row is the truth. A workflow only calls the steps in order; each step looks at row and disk and does what
   is left. So running a job once too often does nothing, and `enqueue` may be called at any time.
2. The workflow's id is the job's id, its argument is that id, stored as JSON.
3. One process runs workflows: the one that holds the lock on the home. Its executor id is fixed, so that the next
   process takes up what this one left.
4. The application version is set by hand (`VERSION`); it changes only with the workflow's body, which is frozen.
5. Whose turn it is, and how many run at once, is decided before a job comes here (`lifecycle.turns`): it is begun at
   once. Only what is wound back comes from a queue, since there is no other way.
6. Nothing waits inside a workflow. What is due later is a row, and the sweep's business.
"""

from __future__ import annotations

import contextvars
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from .lifecycle import about

log = logging.getLogger("stagedoor.engine")

VERSION = "1"
EXECUTOR = "stagedoor"
QUEUE = "publish"
_POLL_SECONDS = 0.5
_MOST_AT_ONCE = 64
ALIVE = ("PENDING", "ENQUEUED", "DELAYED")

Step = Callable[[str], None]


class Engine:
    """Runs jobs. Between `start` and `stop`; `enqueue` before that does nothing, since the sweep finds all work."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._steps: list[tuple[str, Step]] = []
        self._workflow: Callable[[str], None] | None = None
        self._lock = threading.Lock()

    def start(self, *, prove: Step, place: Step, ingest: Step, ended: Callable[[], None]) -> None:
        """Launch, and take up what the last process left. `ended` is called when a job has left its steps."""
        config: DBOSConfig = {
            "name": "stagedoor",
            "application_version": VERSION,
            "executor_id": EXECUTOR,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "max_executor_threads": _MOST_AT_ONCE,
        }
        if self._url.startswith("sqlite"):
            config["system_database_engine"] = _sqlite(self._url)
        else:
            config["system_database_url"] = self._url
        DBOS(config=config)

        def ingest_last(job_id: str) -> None:
            ingest(job_id)
            ended()

        do_prove, do_place, do_ingest = _step("prove", prove), _step("place", place), _step("ingest", ingest_last)

        @DBOS.workflow(name="publish", max_recovery_attempts=None)
        def publish(job_id: str) -> None:
            do_prove(job_id)
            do_place(job_id)
            do_ingest(job_id)

        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        DBOS.register_queue(  # never paused here: what this version says counts
            QUEUE, worker_concurrency=_MOST_AT_ONCE, polling_interval_sec=_POLL_SECONDS, on_conflict="always_update"
        )
        self._workflow = publish

    def enqueue(self, job_id: str) -> None:
        if self._workflow is None:
            return
        with self._lock:
            status = DBOS.get_workflow_status(job_id)
            if status is None:
                contextvars.Context().run(self._begin, self._workflow, job_id)
            elif status.status not in ALIVE:
                DBOS.rewind_workflow(job_id, start_step=1, queue_name=QUEUE)

    @staticmethod
    def _begin(workflow: Callable[[str], None], job_id: str) -> None:
        """At once. In a context of its own: whoever asks may be a step, and a workflow is no part of one."""
        with SetWorkflowID(job_id):
            DBOS.start_workflow(workflow, job_id)

    def busy(self, job_id: str) -> bool:
        if self._workflow is None:
            return False
        status = DBOS.get_workflow_status(job_id)
        return status is not None and status.status in ALIVE

    def forget(self, job_id: str) -> None:
        if self._workflow is not None:
            DBOS.delete_workflow(job_id)

    def stop(self) -> None:
        """Steps under way must have been told to end before."""
        if self._workflow is not None:
            self._workflow = None
            DBOS.destroy(workflow_completion_timeout_sec=5)


def remembered(url: str) -> dict[str, str]:
    """What the engine's database remembers, also while another process works on it: job ids and their statuses."""
    if not _there(url):
        return {}
    client = _client(url)
    try:
        found = client.list_workflows(load_input=False, load_output=False)
        return {item.workflow_id: item.status for item in found}
    finally:
        client.destroy()


def forget_ended(url: str, job_ids: Sequence[str]) -> None:
    """Remove what is remembered of jobs that have ended."""
    if not _there(url):
        return
    client = _client(url)
    try:
        client.delete_workflows(list(job_ids))
    finally:
        client.destroy()


def _there(url: str) -> bool:
    path = sqlalchemy.engine.make_url(url).database if url.startswith("sqlite") else None
    return path is None or Path(path).exists()


def _client(url: str) -> DBOSClient:
    if url.startswith("sqlite"):
        return DBOSClient(system_database_engine=_sqlite(url), serializer=DBOSPortableJSONSerializer())
    return DBOSClient(system_database_url=url, serializer=DBOSPortableJSONSerializer())


def _step(name: str, work: Step) -> Step:
    @DBOS.step(name=name)
    def step(job_id: str) -> None:  # a function of its own: DBOS marks what it decorates, and methods take no marks
        with about.block(job=job_id):
            work(job_id)

    return step


def _sqlite(url: str) -> sqlalchemy.Engine:
    """An engine in a file of its own, for its owner only, as quick as SQLite safely is."""
    path = str(sqlalchemy.engine.make_url(url).database)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @sqlalchemy.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
