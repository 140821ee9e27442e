"""Step 2: entries of one offer come back with answers and become a job.

Rules
1. All tasks of a job come from one offer of the user who submits; the newest open one that holds the entries.
2. The decision is read from the records. From the client come: which entries, where its files lie, the answers.
3. Refused entries cannot be submitted. Superseded, expired, withdrawn and used offers cannot either, and say so.
4. The same entries of the same offer again give the job that exists.
5. The pre-submit hook sees the job before anything is made of it, and may say no.
6. A job goes into the default queue, unless somebody who works at the studio names another.
7. Nothing is half done: the job, its tasks and their reservations appear in one transaction, their staging before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NoReturn

import msgspec

from ..model import errors, form, manifest, names
from ..model.entities import Job, Offer, OfferEntry, Queue, Task, User, Volume
from ..model.hooks import HookName, canonical
from ..model.manifest import Manifest
from ..model.settings import Settings
from ..model.states import JobFact, JobState, OfferFact, OfferState, TaskFact, TaskStatus
from ..model.verdict import Kind
from ..wire.jobs import SubmitRequest
from ..wire.tree import Entry, Node
from . import about
from .echo import Raw, answers_given, compare
from .needs import Clock, House, JobBook, OfferBook, Spot, Storage
from .offer import check_space, in_the_way
from .presubmit import PreSubmit
from .queues import find_queue
from .turns import Turns

_CLOSED = {
    OfferState.SUPERSEDED: "A newer offer of yours replaced this one; submit that, or offer the files again.",
    OfferState.EXPIRED: "This offer has expired; offer the files again.",
    OfferState.WITHDRAWN: "This offer was withdrawn; offer the files again.",
    OfferState.SUBMITTED: "This offer has been submitted already, with other entries; offer the files again.",
}
DAY = 86_400_000
log = logging.getLogger("stagedoor.job")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Accepted:
    """An entry that may become a task."""

    entry: OfferEntry
    source: str
    answers: form.Answers
    manifest: Manifest
    volume: Volume
    spot: Spot


class Submitting:
    """Makes jobs of offers."""

    def __init__(
        self,
        house: House,
        offers: OfferBook,
        jobs: JobBook,
        storage: Storage,
        turns: Turns,
        asking: PreSubmit,
        clock: Clock,
    ) -> None:
        self._house = house
        self._offers = offers
        self._jobs = jobs
        self._storage = storage
        self._turns = turns
        self._asking = asking
        self._clock = clock

    def submit(self, user: User, request: SubmitRequest, ip: str) -> tuple[Job, bool]:
        """The job, and whether it is new. Raises StagedoorError; nothing has changed then."""
        sources = _read_tasks(request.tasks)
        echoed = _read_hooks(request.hooks)
        offer = self._find_offer(user, list(sources))
        if offer.state is OfferState.SUBMITTED:
            return self._submitted_before(offer, set(sources)), False
        if offer.state is not OfferState.OPEN:
            _refuse_closed(offer.state)
        queue = chosen_queue(user, request.queue, self._house.queues())
        settings = self._house.settings().on_queue(queue)
        accepted, notes = self._accept(offer, sources, echoed, settings)
        self._check_room(user, accepted, settings)
        job = self._draft(user, request, ip, offer, accepted, notes, queue, settings)
        self._asking.ask(job)
        return self._keep(self._stage(job, accepted), accepted)

    def _find_offer(self, user: User, ids: Sequence[str]) -> Offer:
        offer = self._offers.newest_with(user.id, ids)
        known = {entry.id for entry in offer.entries} if offer else set()
        if offer is None or not known.intersection(ids):
            raise _unknown()
        if not known.issuperset(ids):
            raise errors.Conflict(
                "These entries do not come from one offer; offer all of them together again.", code="entries_mixed"
            )
        now = self._clock()
        if offer.state is OfferState.OPEN and offer.expires <= now:
            self._offers.close(offer.id, OfferFact.EXPIRED, now)
            _refuse_closed(OfferState.EXPIRED)
        return offer

    def _submitted_before(self, offer: Offer, ids: set[str]) -> Job:
        job = self._jobs.job_of_offer(offer.id)
        if job is None or {task.id for task in job.tasks} != ids:
            _refuse_closed(OfferState.SUBMITTED)
        return job

    def _accept(
        self, offer: Offer, sources: Mapping[str, str], echoed: Mapping[str, Raw], settings: Settings
    ) -> tuple[list[_Accepted], list[str]]:
        volumes = {volume.id: volume for volume in self._house.volumes()}
        known = {entry.id for entry in offer.entries}
        if not known.issuperset(echoed):
            raise _unknown()
        faults: list[dict[str, Any]] = []
        accepted: list[_Accepted] = []
        for entry in offer.entries:
            if entry.id not in sources:
                continue
            if entry.verdict.kind is Kind.REFUSED or entry.place is None:
                raise errors.Conflict(
                    f"{names.printable(entry.filename)} was refused and cannot be submitted.",
                    code="entry_refused",
                    details={"id": entry.id},
                )
            tree = self._tree_of(offer.id, entry.id)
            given = echoed.get(entry.id, {})
            compare(entry, tree, given, volumes.values())
            answers, wrong = form.read(offer.form, answers_given(given), accepted=entry.verdict.kind is Kind.ACCEPTED)
            faults.extend(_answer_fault(entry, fault) for fault in wrong)
            volume = volumes.get(entry.place.volume_id)
            if volume is None or not volume.enabled:
                raise _taken(entry, f"the volume of {entry.filename} is {'disabled' if volume else 'gone'}")
            accepted.append(
                _Accepted(
                    entry=entry,
                    source=sources[entry.id],
                    answers=answers,
                    manifest=read_manifest(entry, tree()),
                    volume=volume,
                    spot=self._look(entry, volume),
                )
            )
        return accepted, _judge_answers(faults, settings)

    def _tree_of(self, offer_id: str, entry_id: str) -> Callable[[], bytes]:
        return lambda: self._offers.tree(offer_id, entry_id)

    def _look(self, entry: OfferEntry, volume: Volume) -> Spot:
        assert entry.place is not None
        try:
            spot = self._storage.inspect(volume, entry.place.path)
        except ValueError as error:
            raise _taken(entry, str(error)) from None
        reason = in_the_way(spot, entry.verdict)
        if reason:
            raise _taken(entry, reason)
        return spot

    def _check_room(self, user: User, accepted: list[_Accepted], settings: Settings) -> None:
        most = settings.number("running_jobs")
        if self._jobs.count_unfinished(user.id) >= most:
            raise errors.LimitExceeded(
                f"You have {most} unfinished jobs, and no more are taken; finish or abort one.",
                details={"limit": most},
            )
        for item in {item.spot.device: item for item in accepted}.values():
            kept = self._house.settings_at(item.volume.id)
            check_space(item.spot, self._offers.reserved(item.spot.device), kept)

    def _draft(
        self,
        user: User,
        request: SubmitRequest,
        ip: str,
        offer: Offer,
        accepted: list[_Accepted],
        notes: list[str],
        queue: Queue,
        settings: Settings,
    ) -> Job:
        now = self._clock()
        job_id = self._offers.new_id()
        tasks = tuple(self._task(job_id, number, item) for number, item in enumerate(accepted))
        return Job(
            id=job_id,
            code=request.code.strip()[:255] or _base_name(accepted[0].source) or accepted[0].entry.filename,
            user_id=user.id,
            offer_id=offer.id,
            state=JobState.AWAITING_BYTES,
            created=now,
            modified=now,
            hostname=request.hostname[:255] or offer.hostname,
            ip=ip,
            client=request.client[:255] or offer.client,
            size=sum(task.size for task in tasks),
            queue_id=queue.id,
            expires=now + settings.number("staging_idle_days") * DAY,
            notes=tuple(notes),
            tasks=tasks,
        )

    def _stage(self, job: Job, accepted: list[_Accepted]) -> Job:
        """The job with its staging; where one task cannot be staged, none is."""
        tasks: list[Task] = []
        try:
            for task, item in zip(job.tasks, accepted, strict=True):
                tasks.append(replace(task, staging=str(self._staging(task, item))))
        except BaseException:
            self._clear(tasks)
            raise
        return replace(job, tasks=tuple(tasks))

    def _staging(self, task: Task, item: _Accepted) -> Path:
        try:
            return self._storage.create(item.volume, task.place.path, task.upload_id, item.manifest)
        except OSError as error:
            raise errors.NoSpace(detail=f"staging for {item.spot.absolute}: {error}") from error
        except ValueError as error:
            raise _taken(item.entry, str(error)) from error

    def _task(self, job_id: str, number: int, item: _Accepted) -> Task:
        entry = item.entry
        assert entry.place is not None
        return Task(
            id=entry.id,
            job_id=job_id,
            number=number,
            filename=entry.filename,
            is_dir=entry.is_dir,
            source=item.source,
            size=entry.size,
            file_count=entry.file_count,
            status=TaskStatus.PENDING,
            upload_id=self._offers.new_id(),
            staging="",
            place=entry.place,
            verdict=entry.verdict,
            answers=item.answers,
            extras=entry.extras,
        )

    def _keep(self, job: Job, accepted: list[_Accepted]) -> tuple[Job, bool]:
        try:
            kept = self._jobs.submit(job, job.created)
        except errors.StagedoorError:
            self._clear(job.tasks)
            raise
        if kept.id != job.id:
            self._clear(job.tasks)
            return kept, False
        empty = [task for task in job.tasks if task.size == 0]
        for task in empty:
            self._jobs.move_task(job.id, task.id, TaskFact.RECEIVED)
        if len(empty) == len(job.tasks):
            self._jobs.move(job.id, JobFact.RECEIVED, job.created)
            self._turns.begin_next()
        about.also(job=job.id)
        log.info("job %s submitted: %d entries, %d bytes", job.id, len(job.tasks), job.size)
        return self._jobs.job(job.id) or kept, True

    def _clear(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self._storage.clear(Path(task.staging), task.upload_id)


def chosen_queue(user: User, named: str, queues: Sequence[Queue]) -> Queue:
    """The queue of a new job. Raises Forbidden for a vendor who names one, NotFound for one that there is not."""
    if not named:
        return next(queue for queue in queues if queue.default)
    if not user.works_here:
        raise errors.Forbidden("The studio chooses the queue; leave it out.", code="queue_not_allowed")
    return find_queue(named, queues)


def read_manifest(entry: OfferEntry, tree: bytes) -> Manifest:
    """The manifest of an entry from the JSON that was kept of its `files`."""
    files = msgspec.json.decode(tree, type=list[Node] | None)
    again = Entry(
        id=entry.id,
        filename=entry.filename,
        is_dir=entry.is_dir,
        size=entry.size,
        files=files,
        modified=entry.modified,
    )
    return manifest.read(again, windows_names=False)[0]


def _read_tasks(tasks: list[dict[str, msgspec.Raw]]) -> dict[str, str]:
    """Sources by entry id."""
    sources: dict[str, str] = {}
    for task in tasks:
        if "destination" in task:
            raise errors.DecisionChanged("The tasks of a publish take no destination: the studio decides it.")
        entry_id, source = _text(task, "id"), _text(task, "source")
        if not entry_id or entry_id in sources:
            raise errors.BadRequest("Every task needs the id of an entry, and no two the same.")
        sources[entry_id] = source
    if not sources:
        raise errors.BadRequest("A job needs at least one task.")
    return sources


def _text(task: Raw, key: str) -> str:
    try:
        value = msgspec.json.decode(task[key], type=str | None) if key in task else None
    except msgspec.MsgspecError:
        raise errors.BadRequest(f"The {key} of every task must be text.") from None
    return value or ""


def _read_hooks(hooks: list[dict[str, msgspec.Raw]]) -> dict[str, Raw]:
    """The echoed entries by id. Only the publish hook may be named, with nothing but data."""
    if not hooks:
        return {}
    hook = hooks[0]
    named = canonical(_text(hook, "when"))
    if len(hooks) > 1 or named is not HookName.PUBLISH or not set(hook) <= {"when", "data"}:
        raise errors.Forbidden(
            "A publish may name only the publish hook, with `when` and `data`: hooks are the studio's.",
            code="hook_not_allowed",
        )
    return _read_data(hook.get("data", msgspec.Raw(b"null")))


def _read_data(raw: msgspec.Raw) -> dict[str, Raw]:
    try:
        data = msgspec.json.decode(raw, type=_Data | None) or _Data()
        return {_text(entry, "id"): entry for entry in data.files}
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.BadRequest(f"The data of the publish hook cannot be read: {error}") from None


class _Data(msgspec.Struct):
    files: list[dict[str, msgspec.Raw]] = []


def _judge_answers(faults: list[dict[str, Any]], settings: Settings) -> list[str]:
    """Raise for answers that are missing or wrong; with `required_answers = warn`, missing ones become notes."""
    lenient = settings.word("required_answers") == "warn"
    counted = [fault for fault in faults if not (lenient and fault["required"])]
    if counted:
        first = f"{counted[0]['filename']}: {counted[0]['field']}: {counted[0]['reason']}."
        more = f" {len(counted) - 1} more are listed in the details." if len(counted) > 1 else ""
        raise errors.AnswersRefused(first + more, details={"faults": counted})
    return [f"{fault['filename']}: {fault['field']} was required and is missing" for fault in faults]


def _answer_fault(entry: OfferEntry, fault: form.AnswerFault) -> dict[str, Any]:
    return {
        "id": entry.id,
        "filename": names.printable(entry.filename),
        "field": fault.field,
        "reason": fault.reason,
        "required": fault.required,
    }


def _taken(entry: OfferEntry, detail: str) -> errors.DestinationTaken:
    return errors.DestinationTaken(details={"id": entry.id}, detail=detail)


def _unknown() -> errors.NotFound:
    """Also for what was only checked or refused as a whole: such an offer is none that could be submitted."""
    return errors.NotFound(
        "No offer of yours that could be submitted holds this entry; offer the files first.", code="entry_unknown"
    )


def _refuse_closed(state: OfferState) -> NoReturn:
    raise errors.OfferClosed(_CLOSED[state], code=f"offer_{state}")


def _base_name(source: str) -> str:
    """The last name of a path on the vendor's machine, of whichever system."""
    pure = PureWindowsPath(source) if "\\" in source or source[1:2] == ":" else PurePosixPath(source)
    return pure.name
