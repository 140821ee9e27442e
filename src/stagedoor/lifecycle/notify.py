"""The hooks that are told afterwards: post-submit, post-failed, post-done.

Rules
1. Whatever such a hook does, its job stays as it is.
2. A notice stays until its hook has run to an end; a run that a dying server cut is made again, with the same
   idempotency key and the next attempt number. After MOST_ATTEMPTS it is given up, and the log says so.
3. The notices of one job are told one after the other, in the order in which things happened. Different jobs do not
   wait for each other, as long as fewer than `post_hooks_at_once` hooks run.
4. A hook that fails is recorded and not run again.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from ..model.entities import Notice, RunState
from .jobhooks import JobHooks
from .needs import House, JobBook, NoticeBook

log = logging.getLogger("stagedoor.notify")
MOST_ATTEMPTS = 5
LOOKED_AT = 1000


class Notifying:
    def __init__(self, house: House, jobs: JobBook, notices: NoticeBook, hooks: JobHooks) -> None:
        self._house = house
        self._jobs = jobs
        self._notices = notices
        self._hooks = hooks
        self._at_once = house.settings().number("post_hooks_at_once")
        self._pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="notify")
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def look(self) -> None:
        """Begin to tell what is waiting, as far as there is room."""
        if len(self._under_way) >= self._at_once:
            return
        for notice in self._notices.waiting(LOOKED_AT):
            with self._lock:
                if len(self._under_way) >= self._at_once:
                    return
                if notice.job_id in self._under_way:
                    continue
                self._under_way.add(notice.job_id)
            self._pool.submit(self._tell, notice)

    def stop(self) -> None:
        """The programs must have been told to end before."""
        self._pool.shutdown(cancel_futures=True)

    def _tell(self, notice: Notice) -> None:
        try:
            self._run(notice)
        except InterruptedError:
            log.info("the hook %s of job %s is run again when the server is back", notice.hook, notice.job_id)
        except Exception:
            log.exception("the hook %s of job %s", notice.hook, notice.job_id)
        finally:
            with self._lock:
                self._under_way.discard(notice.job_id)

    def _run(self, notice: Notice) -> None:
        job = self._jobs.job(notice.job_id)
        hook = self._house.hook(notice.hook, job.queue_id) if job else None
        if job is None or hook is None:
            self._notices.settle(notice.id)
            return
        attempt = self._notices.begin(notice.id)
        if attempt > MOST_ATTEMPTS:
            log.error("the hook %s of job %s was cut %d times and is given up", hook.name, job.id, MOST_ATTEMPTS)
            self._notices.settle(notice.id)
        elif attempt:
            run = self._hooks.begin(job, hook, attempt=attempt)
            seconds = self._house.settings_of(job).number("post_hook_seconds")
            outcome = self._hooks.run(job, hook, run, seconds=seconds, notice=notice)
            self._notices.settle(notice.id)
            if outcome.state is not RunState.SUCCEEDED:
                log.warning("the hook %s of job %s failed (run %s): %s", hook.name, job.id, run.id, outcome.error)
