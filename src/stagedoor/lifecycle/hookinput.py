"""What hooks are given to read: the JSON of `wire.hookdata`, built from the records.

Rules
1. Trees come as the JSON that is kept of them and go into the input as they are: neither decoded nor checked again.
2. Every key is always there.
3. What the pre-publish hook wrote beyond the known keys is handed on to the hooks of the job, but never replaces one.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, cast

import msgspec
from msgspec import UNSET, Raw

from ..model.entities import Job, Notice, Offer, OfferEntry, Queue, Task, User, Volume, Workspace
from ..model.hooks import HookName
from ..model.metadata import Metadata, merged
from ..model.states import TaskStatus
from ..model.verdict import Kind
from ..version import __version__
from ..wire import hookdata

_EMPTY = (b"", b"null")


def pre_publish_input(*, user: User, workspace: Workspace, offer: Offer, trees: Mapping[str, bytes]) -> bytes:
    """The input of the pre-publish hook. `trees`: per entry id the JSON of its `files` (`null` for a file)."""
    return msgspec.json.encode(
        hookdata.PrePublishInput(
            hook=HookName.PRE_PUBLISH.value,
            hostname=offer.hostname,
            ip=offer.ip,
            client=offer.client,
            user=user.id,
            user_hr=user.code,
            metadata=_metadata(workspace.metadata, user.metadata),
            size=offer.size,
            files=[_offered(entry, trees[entry.id]) for entry in offer.entries],
        )
    )


def job_input(
    hook: HookName,
    *,
    user: User,
    workspace: Workspace,
    job: Job,
    queue: Queue | None,
    volumes: Mapping[str, Volume],
    trees: Mapping[str, bytes],
    placed: Mapping[str, str],
    modified: Mapping[str, int | None],
    hashes: Mapping[str, str],
    attempt: int,
    key: str = "",
    status: str = "",
    replay: bool = False,
    notice: Notice | None = None,
) -> bytes:
    """The input of a hook of a job.

    `volumes`: by id. By task id: `trees`, the JSON of its `files`; `placed`, its absolute path; `modified`, of the
    entry itself, in milliseconds; `hashes`, the absolute path of its JSON-lines file (see `jobhooks.hash_files`), where
    there is one. `key`: the idempotency key, else the job's id. `status`: else the job's. `notice`: what a post hook
    is told of.
    """
    excluded = tuple(task.id for task in job.tasks if task.status is TaskStatus.EXCLUDED)
    tasks = [task for task in job.tasks if task.id not in excluded]
    of_failure = _failure(notice) if hook is HookName.POST_FAILED and notice else {}
    return msgspec.json.encode(
        _KINDS[hook](
            hook=hook.value,
            id=job.id,
            code=job.code,
            name=job.code,
            user=user.id,
            user_hr=user.code,
            source=user.id,
            source_hr=f"{user.code}@{job.hostname}" if job.hostname else user.code,
            destination=workspace.id,
            destination_hr=workspace.code,
            size=job.size,
            created=_time(job.created),
            status=notice.status if notice else status or job.state.status,
            queue=job.queue_id,
            queue_hr=queue.code if queue else "",
            version=__version__,
            metadata=_metadata(
                workspace.metadata, queue.metadata if queue else Metadata(), user.metadata, job.metadata
            ),
            clients=_clients(user, job),
            tasks=[_task(task, user, volumes.get(task.place.volume_id), placed[task.id]) for task in tasks],
            files=[
                _published(
                    task,
                    volumes.get(task.place.volume_id),
                    tree=trees[task.id],
                    path=placed[task.id],
                    modified=modified[task.id],
                    hashes=hashes.get(task.id, ""),
                )
                for task in tasks
            ],
            idempotency_key=notice.id if notice else key or job.id,
            attempt=attempt,
            excluded=list(excluded),
            replay=replay,
            **of_failure,
        )
    )


_KINDS: Mapping[HookName, type[hookdata.JobInput]] = {
    HookName.PRE_SUBMIT: hookdata.PreSubmitInput,
    HookName.POST_SUBMIT: hookdata.PostSubmitInput,
    HookName.PUBLISH: hookdata.PublishInput,
    HookName.POST_FAILED: hookdata.PostFailedInput,
    HookName.POST_DONE: hookdata.PostDoneInput,
}


def _failure(notice: Notice) -> dict[str, str]:
    return {
        "error": notice.error,
        "error_code": notice.error_code,
        "error_detail": notice.error_detail,
        "reference": notice.reference,
        "retry_at": "" if notice.due is None else _time(notice.due),
    }


def _metadata(*layers: Metadata) -> hookdata.Metadata:
    """The nearer ones last."""
    known = merged(*layers)
    return hookdata.Metadata(internal=dict(known.internal), external=dict(known.external))


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _tree(tree: bytes) -> Any:
    return cast(Any, Raw(tree))


def _offered(entry: OfferEntry, tree: bytes) -> hookdata.OfferedEntry:
    return hookdata.OfferedEntry(
        id=entry.id,
        filename=entry.filename,
        size=entry.size,
        is_dir=entry.is_dir,
        files=UNSET if tree in _EMPTY else _tree(tree),
        modified=UNSET if entry.modified is None else entry.modified,
    )


def _clients(user: User, job: Job) -> list[hookdata.Party]:
    return [
        hookdata.Party(role="server", code=socket.gethostname(), user="", user_hr=""),
        hookdata.Party(role="client", code=job.hostname, user=user.id, user_hr=user.code),
    ]


def _task(task: Task, user: User, volume: Volume | None, path: str) -> hookdata.PublishedTask:
    return hookdata.PublishedTask(
        id=task.id,
        uri=str(task.number),
        filename=task.filename,
        is_dir=task.is_dir,
        size=task.size,
        status=task.status.value,
        source=hookdata.TaskSource(path=task.source, path_abs_final=task.source, user=user.id, user_hr=user.code),
        destination=hookdata.TaskDestination(
            path=f"volume={_code(volume) or task.place.volume_id}/{task.place.path}",
            path_rel=task.place.path,
            path_abs_final=path,
            v=task.place.volume_id,
            v_hr=_code(volume),
            metadata=_metadata(volume.metadata if volume else Metadata()),
        ),
    )


def _code(volume: Volume | None) -> str:
    """Empty for one that has been removed meanwhile."""
    return volume.code if volume else ""


def _published(
    task: Task, volume: Volume | None, *, tree: bytes, path: str, modified: int | None, hashes: str
) -> hookdata.PublishedEntry:
    """The entry, as a dict since the hook's further keys lie beside the known ones."""
    verdict, answers = task.verdict, task.answers
    entry = hookdata.PublishedEntry(
        id=task.id,
        filename=task.filename,
        path=path,
        is_dir=task.is_dir,
        v=task.place.volume_id,
        v_hr=_code(volume),
        can_publish=verdict.kind is Kind.ACCEPTED,
        can_upload=verdict.kind is Kind.UPLOAD_ONLY,
        rejected=verdict.kind is Kind.REFUSED,
        warning=verdict.warning,
        info=verdict.info,
        ident=verdict.ident,
        findings=cast(Any, list(verdict.findings)),
        comment=answers.comment,
        status=answers.status,
        task=answers.task,
        time_report=answers.time_report,
        metadata=answers.metadata,
        files=[] if tree in _EMPTY else _tree(tree),
        size=task.size,
        modified=modified,
        hashes=hashes,
    )
    further = msgspec.json.decode(task.extras, type=dict[str, Raw])
    return cast(Any, {**further, **msgspec.structs.asdict(entry)})  # type: ignore[no-any-return]
