"""The scripting face of a server: everything is plain dicts, lists, text and numbers.

Rules
1. A session remembers nothing but where the server is and who asks; two scripts can share the work of one publish.
2. Times in answers are text, RFC 3339 in UTC, except `modified` of files: integer milliseconds since 1970.
3. What fails raises a StagedoorError with `message`, `error_code` and `details`; wrong use raises ValueError.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, overload

from ..model.errors import BadRequest, NotFound
from ..wire import calls
from ..wire.offers import OfferRequest
from . import given, merge, query
from .connection import ANSWER_SECONDS, Connection
from .entities import JOB, Kind, check_attributes, kind_of, only, writable
from .errors import QueryRefused
from .filters import QUERY_CODES, matches, to_send
from .limit import Limit
from .progress import Tell, wants_bytes
from .sender import PATIENCE_SECONDS, Sender

Json = dict[str, Any]
Job = str | Mapping[str, Any]

PAGE = 500
POLL_SECONDS = (0.02, 2.0)
"""pauses between two looks at a job: the first, and the longest; each is a tenth longer than the one before"""


class Session:
    """Signed in to one server as one user. Safe to be used by several threads."""

    def __init__(
        self,
        url: str | None = None,
        username: str | None = None,
        api_key: str | None = None,
        *,
        fingerprint: str | None = None,
        timeout: float = ANSWER_SECONDS,
    ) -> None:
        """Nothing is sent yet.

        What is left out is read from STAGEDOOR_URL, STAGEDOOR_USER, STAGEDOOR_API_KEY and
        STAGEDOOR_TLS_FINGERPRINT (SHA-256 of a self-signed certificate). `timeout`: seconds that an answer may take.
        Raises ValueError where something is missing or cannot be.
        """
        self.username = _given(username, "username", "STAGEDOOR_USER")
        self._connection = Connection(
            _given(url, "url", "STAGEDOOR_URL"),
            self.username,
            _given(api_key, "api_key", "STAGEDOOR_API_KEY"),
            fingerprint=fingerprint or os.environ.get("STAGEDOOR_TLS_FINGERPRINT"),
            timeout=timeout,
        )

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The session can be used again."""
        self._connection.close()

    # --- publishing ------------------------------------------------------------------------------------------------

    def publish(self, files: Sequence[Mapping[str, Any]], *, check_only: bool = False) -> Json:
        """Have entries validated by the studio. Nothing is uploaded yet: `create` and `upload` do that.

        `files`: entries as `scan` makes them, `{"id", "filename", "size", "is_dir", "files"?, "modified"?}`.
        Returns `{"files": [...], "offer": id}`: the same entries, in the same order and with all their own keys, and
        what was decided about each (exactly one of `can_publish`, `can_upload`, `rejected` is true; `warning`,
        `info`, `ident`, ... where given; the size of folders); beside them what the studio's hook gave of `comment`,
        `time_report`, `statuses`, `metadata`, `tasks`, `guidelines`. With `check_only` nothing is reserved, and
        the entries cannot be submitted. Raises ManifestRefused with every fault of the names, CheckFailed where the
        studio's check could not run, and other StagedoorErrors.
        """
        request = OfferRequest(
            files=given.entries(files), hostname=socket.gethostname(), client=given.CLIENT, check_only=check_only
        )
        return merge.publish_answer(files, self._connection.call(calls.OFFER, body=request))

    prepublish = publish

    def create(self, entitytype: str, data: Mapping[str, Any]) -> Json:
        """Make a job of validated entries, or a user, volume or queue.

        For `"job"`: `{"code", "tasks": [{"id", "source"}], "hooks": [{"when": "publish-server", "data": {"files"}}]}`;
        the ids name entries, `files` are those of `publish` with the answers filled in. The same entries of the same
        offer again give the job that exists. Returns the job with its tasks; nothing is uploaded yet. Raises
        ValueError for a task without a `source`: `upload` would not know where its files are.
        """
        kind = kind_of(entitytype)
        if kind.add is None:
            raise ValueError(f"{kind.name}: nothing can be created here")
        content = given.mapping(data, "data")
        body = given.submission(content) if kind.add is calls.SUBMIT else dict(content)
        made: Json = self._connection.call(kind.add, body=body)
        return made

    def upload(
        self,
        job: Job,
        progress: Tell | None = None,
        *,
        connections: int | None = None,
        limit: Limit | float = 0,
        stop: Callable[[], bool] | None = None,
        patience: float = PATIENCE_SECONDS,
        reuse: bool = True,
    ) -> Json:
        """Send the bytes that the server misses of a job, in this or any later process; returns the job.

        `job`: the job or its id. `progress` is called in this thread, several times a second, with a
        `stagedoor.client.progress.Progress`. `connections`: 1 to 128 at a time; as many as help by default. `limit`:
        bytes per second, or a `stagedoor.Limit` whose `rate` may be changed meanwhile. When `stop()` is true the upload
        ends early. A job that is paused, or of which all that is left is on hold, is waited for. With `reuse`, files
        that you sent before are recognised by content and copied at the studio. Does not wait for the studio: `wait`
        does. Raises SourceChanged when a file is no longer what was validated, TransferFailed after `patience` seconds
        without an acknowledged byte.
        """
        pace = limit if isinstance(limit, Limit) else Limit(limit)
        sent: Json = Sender(
            self._connection,
            _id_of(job),
            connections=connections,
            limit=pace,
            patience=patience,
            reuse=reuse,
            tell=progress,
            stop=stop,
        ).send(job)
        return sent

    def wait(self, job: Job, seconds: float | None = None, progress: Callable[[Json], object] | None = None) -> Json:
        """Wait until a job has ended: done, aborted, or failed with no retry due. Returns it as it is then.

        Also ends, with the job as it is, after `seconds`, and where the proof found damaged bytes that `upload` must
        send again: its `phase` is `"upload"` then. `progress` is called with the job when it has changed.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        complete = not isinstance(job, str) and not wants_bytes(job)
        told = None
        pause, longest = POLL_SECONDS
        while True:
            now = self._job(job)
            if progress and now != told:
                told = now
                progress(now)
            if _ended(now) or (complete and wants_bytes(now)):
                return now
            complete = not wants_bytes(now)
            left = longest if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return now
            time.sleep(min(pause, left))
            pause = min(pause * 1.1, longest)

    def retry(self, job: Job) -> Json:
        """Try a failed job again from the step that failed. Nothing is sent a second time."""
        answer: Json = self._connection.call(calls.RETRY, {"id": _id_of(job)})
        return answer

    def abort(self, job: Job) -> Json:
        """End a job for good. What was placed stays; what had arrived is kept for a day, for a next publish of it."""
        answer: Json = self._connection.call(calls.ABORT, {"id": _id_of(job)})
        return answer

    def pause(self, job: Job) -> Json:
        """Let a job rest: it takes no bytes and begins no step. What the studio paused only the studio resumes."""
        answer: Json = self._connection.call(calls.PAUSE, {"id": _id_of(job)})
        return answer

    def resume(self, job: Job) -> Json:
        """Go on with a paused job; `upload` sends what is missing."""
        answer: Json = self._connection.call(calls.RESUME, {"id": _id_of(job)})
        return answer

    def set_task(self, job: Job, task: str, status: str) -> Json:
        """Put an entry of a job on hold (`"onhold"`), leave it out (`"excluded"`), or neither any more (`"queued"`).

        For who works at the studio, before the entry is placed. Returns the job.
        """
        names = {"id": _id_of(job), "task": task}
        answer: Json = self._connection.call(calls.CHANGE_TASK, names, body={"status": status})
        return answer

    @overload
    def receipt(self, job: Job, format: Literal["json"] = "json") -> Json: ...

    @overload
    def receipt(self, job: Job, format: Literal["mhl"]) -> bytes: ...

    def receipt(self, job: Job, format: str = "json") -> Json | bytes:
        """What arrived, file by file, with hashes. Raises Conflict before everything is proved and placed.

        `format="mhl"`: the bytes of a ZIP that holds an ASC MHL history (a folder `ascmhl`) for each entry.
        """
        if format == "mhl":
            return self._connection.download(calls.RECEIPT_MHL, {"id": _id_of(job)})
        if format != "json":
            raise ValueError(f"there is no format {format!r} of a receipt; there are: json, mhl")
        answer: Json = self._connection.call(calls.RECEIPT, {"id": _id_of(job)})
        return answer

    def receipt_key(self) -> Json:
        """The public key of the studio's receipts: `{"algorithm", "key_id", "public_key"}`, the key in base64."""
        answer: Json = self._connection.call(calls.RECEIPT_KEY)
        return answer

    # --- settings --------------------------------------------------------------------------------------------------

    def settings(self, *, queue: str = "", volume: str = "", job: str = "") -> list[Json]:
        """The settings of the workspace, or of the queue, volume or job that is named; for who works at the studio.

        Each with the `value` that counts, and where it comes from: its `level`, and the thing it is `set_on`.
        """
        found: list[Json] = self._connection.call(calls.SETTINGS, query=_of(queue, volume, job))["items"]
        return found

    def set_setting(
        self, name: str, value: bool | int | str, *, queue: str = "", volume: str = "", job: str = ""
    ) -> Json:
        """Set a setting on the workspace, or on the queue, volume or job that is named."""
        changed: Json = self._connection.call(
            calls.SET_SETTING, {"name": name}, query=_of(queue, volume, job), body={"value": value}
        )
        return changed

    def unset_setting(self, name: str, *, queue: str = "", volume: str = "", job: str = "") -> None:
        """Back to what is set above, or to the default."""
        self._connection.call(calls.UNSET_SETTING, {"name": name}, query=_of(queue, volume, job))

    # --- looking around --------------------------------------------------------------------------------------------

    def find(
        self,
        query: str,
        attributes: Sequence[str] | None = None,
        finished: bool | None = None,
        limit: int | None = None,
        skip: int | None = None,
    ) -> list[Json]:
        """`find("Job WHERE status=failed")`: a list, the newest job first.

        The expression is one of the query language (docs/query-language.md), read by the server. Jobs that are done
        or aborted are left out unless `finished`, or asked for by `id`, `status`, `phase` or `finished`.
        `attributes`: only these keys of each. Raises ValueError for a query that cannot be asked (QueryRefused,
        where the server says so) and for attributes that there are not.
        """
        return self._find(query, attributes, {"finished": "true"} if finished else {}, limit, skip)

    def find_one(self, query: str, attributes: Sequence[str] | None = None) -> Json | None:
        """The first that `find` would give, ended jobs included and with its tasks; None where there is none.

        `find_one("User")` is the signed-in user, `find_one("Workspace")` the workspace.
        """
        single = {"user": calls.ME, "workspace": calls.WORKSPACE}.get(query.strip().lower())
        if single:
            check_attributes(single, attributes)
            return only(self._connection.call(single), attributes)
        found = self._find(query, attributes, {"finished": "true", "tasks": "true"}, 1, None)
        return found[0] if found else None

    def get_entity(self, entitytype: str, entityid: str) -> Json | None:
        """One by its id (hooks and settings: by name), whatever its state; a job with its tasks. None if unknown."""
        kind = kind_of(entitytype)
        try:
            if kind.one is not None:
                answer: Json = self._connection.call(kind.one, {"id": entityid})
                return answer
        except NotFound:
            return None
        narrowed = {} if kind.single else {"where": f"{kind.key} contains {query.quoted(entityid)}"}
        return next((item for item in self._all(kind, narrowed) if str(item[kind.key]) == entityid), None)

    def update(self, entitytype: str, entityid: str, data: Mapping[str, Any]) -> Json:
        """Change one; returns it. Of a job: `code`, `queue`, `metadata`, and `status` to `"paused"`, `"waiting"` (goes
        on) or `"aborted"`.

        Raises ValueError for keys that cannot be written, naming those that can.
        """
        kind = kind_of(entitytype)
        if kind.change is None:
            raise ValueError(f"{kind.name}: nothing can be changed here")
        known = writable(kind.change)
        for name in given.mapping(data, "data"):
            if name not in known:
                raise ValueError(f"{kind.name}: {name!r} cannot be written; what can: {', '.join(known)}")
        changed: Json = self._connection.call(kind.change, {kind.key: entityid}, body=dict(data))
        return changed

    def delete_one(self, entitytype: str, entityid: str) -> bool:
        """Delete a volume, queue, hook or setting (back to its default), or withdraw an offer. True when it is done."""
        kind = kind_of(entitytype)
        if kind.remove is None:
            raise ValueError(f"{kind.name}: {kind.no_removal}")
        self._connection.call(kind.remove, {kind.key: entityid})
        return True

    def _find(
        self, text: str, attributes: Sequence[str] | None, extra: dict[str, str], limit: int | None, skip: int | None
    ) -> list[Json]:
        asked = query.parse(text)
        kind = kind_of(asked.entity)
        check_attributes(kind.every, attributes)
        query.check_page(limit, skip)
        filters = to_send(kind, asked.where)
        if kind is JOB:
            filters |= extra
        try:
            found = self._all(kind, filters, limit, skip or 0)
        except BadRequest as error:
            if error.error_code not in QUERY_CODES:
                raise
            raise QueryRefused(error.message, code=error.error_code, details=error.details) from None
        return [only(item, attributes) for item in found]

    def _all(self, kind: Kind, filters: dict[str, str], limit: int | None = None, skip: int = 0) -> list[Json]:
        if not kind.single:
            return self._pages(kind.every, filters, limit, skip)
        found = [item for item in [self._connection.call(kind.every)] if matches(item, filters)]
        return found[skip : None if limit is None else skip + limit]

    def _pages(self, call: calls.Call, filters: dict[str, str], limit: int | None, skip: int) -> list[Json]:
        """Items of a list, however many pages it takes."""
        found: dict[Any, Json] = {}
        while limit is None or len(found) < limit:
            want = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self._connection.call(call, query={**filters, "limit": str(want), "skip": str(skip)})
            items = page["items"]
            found.update((item.get("id") or (item["name"], item.get("queue")), item) for item in items)
            skip += len(items)
            if not items or skip >= page["total"]:
                break
        return list(found.values())

    def _job(self, job: Job) -> Json:
        answer: Json = self._connection.call(calls.JOB, {"id": _id_of(job)})
        return answer


def _given(value: str | None, name: str, variable: str) -> str:
    found = value or os.environ.get(variable, "").strip()
    if not found:
        raise ValueError(f"{name} is not known: give it, or set {variable}")
    return found


def _of(queue: str, volume: str, job: str) -> dict[str, str]:
    named = {"queue": queue, "volume": volume, "job": job}
    return {name: value for name, value in named.items() if value}


def _id_of(job: Job) -> str:
    found = job if isinstance(job, str) else job.get("id")
    if not isinstance(found, str) or not found:
        raise ValueError("job must be a job as create or find return it, or its id")
    return found


def _ended(job: Mapping[str, Any]) -> bool:
    return job["status"] in ("done", "aborted") or (job["status"] == "failed" and not job.get("retry_at"))
