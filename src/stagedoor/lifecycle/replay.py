"""Today's script on what earlier runs had read.

Rules
1. Of a pre-publish run the recorded input is given to the script that is set now, and both answers are judged alike,
   with the volumes of now: what differs comes from the script alone. Nothing is recorded, kept or reserved.
2. Every other hook does something. It runs again only where that is asked for, with `replay` in its input, as a
   recorded run, never beside another run of that hook for that job. A publish hook runs again for a job that is done;
   for one that failed there is the retry.
3. One replay at a time in this process; the others wait, but not for ever.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from ..model import errors
from ..model.entities import Hook, HookRun, Job, RunState, Volume
from ..model.form import Form
from ..model.hooks import SECONDS, HookName
from ..model.slice import Slice
from ..model.states import JobState
from ..wire.replays import Replay, ReplayedEntry, Replays
from . import views
from .jobhooks import hash_files, paths_of
from .judge import BrokenAnswer, Judged, JudgedEntry, read_answer
from .needs import Clock, House, JobBook, Lists, OfferBook, Programs, RunBook, RunOrder
from .offer import Gate

BUSY = "Another replay is running; try again when it has ended."
LONGEST = 3_600.0


class _Offered(msgspec.Struct, frozen=True):
    id: str
    filename: str


class _Read(msgspec.Struct):
    """What is needed of a recorded input."""

    files: list[_Offered]
    user_hr: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an answer came to."""

    judged: Judged | None
    error: str = ""


class Replaying:
    def __init__(
        self,
        house: House,
        offers: OfferBook,
        jobs: JobBook,
        runs: RunBook,
        lists: Lists,
        programs: Programs,
        clock: Clock,
    ) -> None:
        self._house = house
        self._offers = offers
        self._jobs = jobs
        self._runs = runs
        self._lists = lists
        self._programs = programs
        self._clock = clock
        self._gate = Gate(BUSY)

    # --- pre-publish: harmless

    def one(self, run_id: str, command: str = "") -> Replay:
        """`command`: another line than the one that is set. Raises NotFound, BadRequest, Conflict, Busy."""
        run = self._run(run_id)
        if run.hook is not HookName.PRE_PUBLISH:
            raise errors.BadRequest(
                f"A run of {run.hook} does something; it runs again only for real (--for-real).", code="replay_for_real"
            )
        with self._gate.enter(1):
            return self._replay(run, self._hook(HookName.PRE_PUBLISH, command=command))

    def several(
        self, *, since: int | None, limit: int, skip: int = 0, command: str = "", seconds: float = LONGEST
    ) -> Replays:
        """The newest runs, as far as they come in about `seconds`."""
        hook = self._hook(HookName.PRE_PUBLISH, command=command)
        return self.through(hook, since=since, limit=limit, skip=skip, seconds=seconds)

    def says(self, hook: Hook, data: bytes) -> tuple[Judged | None, str]:
        """What a hook makes of an input that nobody has offered; else why it cannot say."""
        with self._gate.enter(1):
            volumes = {volume.id: volume for volume in self._house.volumes()}
            answer = self._now(hook, data, msgspec.json.decode(data, type=_Read), volumes)
        return answer.judged, answer.error

    def through(
        self, hook: Hook, *, since: int | None = None, limit: int, skip: int = 0, seconds: float = LONGEST
    ) -> Replays:
        """The same with a hook that need not be set."""
        total, found = self._lists.runs(hook=HookName.PRE_PUBLISH, since=since, wanted=Slice(limit=limit, skip=skip))
        done: list[Replay] = []
        end = time.monotonic() + seconds
        with self._gate.enter(1):
            for run in found:
                if done and time.monotonic() > end:
                    break
                done.append(self._replay(run, hook))
        reached = skip + len(done)
        return _added_up(done, total, reached if done and reached < total else None)

    def _replay(self, run: HookRun, hook: Hook) -> Replay:
        kept = self._programs.read_record(run.id)
        try:
            read = msgspec.json.decode(kept["input"], type=_Read)
        except (msgspec.MsgspecError, RecursionError):
            return Replay(run=run.id, started=views.moment(run.started), user="", state="gone")
        volumes = {volume.id: volume for volume in self._house.volumes()}
        before = self._before(run, kept["output"], read, volumes)
        now = self._now(hook, kept["input"].encode(), read, volumes)
        return _compared(run, read, before, now, volumes)

    def _before(self, run: HookRun, output: str, read: _Read, volumes: Mapping[str, Volume]) -> _Answer:
        if run.exit_code != 0 or not output:
            return _Answer(None, run.error or "it has not ended")
        return _judged(output.encode(), read, volumes)

    def _now(self, hook: Hook, data: bytes, read: _Read, volumes: Mapping[str, Volume]) -> _Answer:
        settings = self._house.settings()
        outcome = self._programs.try_out(
            RunOrder(
                run=hook.begun(f"replay-{self._offers.new_id()}", at=self._clock()),
                environment=hook.environment,
                run_as=hook.run_as,
                input=data,
                wants_output=True,
                seconds=settings.number(SECONDS[hook.name]),
                answer_bytes=settings.number("hook_answer_bytes"),
            )
        )
        if outcome.state is not RunState.SUCCEEDED or outcome.output is None:
            return _Answer(None, outcome.error)
        return _judged(outcome.output, read, volumes)

    # --- the others: for real

    def for_real(self, run_id: str) -> HookRun:
        """Run a hook of a job once more; the run as it is recorded. Raises NotFound, BadRequest, Conflict, Busy."""
        earlier = self._run(run_id)
        if earlier.hook is HookName.PRE_PUBLISH:
            raise errors.BadRequest("A pre-publish run is replayed without doing anything.", code="replay_for_real")
        job = self._jobs.job(earlier.job_id)
        if job is None:
            raise errors.Conflict("There is no job of this run: it was refused.", code="replay_no_job")
        hook = self._hook(earlier.hook, queue=job.queue_id)
        with self._gate.enter(1):
            self._check_free(earlier, job)
            run = self._again(earlier, job, hook)
        return self._runs.run(run.id) or run

    def _check_free(self, earlier: HookRun, job: Job) -> None:
        if earlier.hook is HookName.PUBLISH and job.state is not JobState.DONE:
            raise errors.Conflict(
                "Only the publish hook of a job that is done runs again like this; a job that failed is retried.",
                code="replay_not_done",
            )
        for run in self._runs.runs_of_job(job.id):
            if run.hook is earlier.hook and run.state is RunState.RUNNING:
                raise errors.Conflict(f"This hook is running for this job: run {run.id}.", code="replay_running")

    def _again(self, earlier: HookRun, job: Job, hook: Hook) -> HookRun:
        kept = self._programs.read_record(earlier.id)["input"].encode()
        run = hook.begun(
            self._offers.new_id(),
            at=self._clock(),
            version=self._programs.version(hook.command),
            user_id=job.user_id,
            offer_id=job.offer_id,
            job_id=job.id,
            attempt=earlier.attempt,
            replay=True,
        )
        names, contents = hash_files(job, self._jobs.receipt(job.id))
        data = _as_replay(kept, paths_of(self._programs.folder(run.id), names))
        self._runs.begin(run)
        self._programs.run(
            RunOrder(
                run=run,
                environment=hook.environment,
                run_as=hook.run_as,
                input=data,
                files=contents,
                seconds=self._house.settings().number(SECONDS[hook.name]),
                answer_bytes=0,
            )
        )
        return run

    def _run(self, run_id: str) -> HookRun:
        run = self._runs.run(run_id)
        if run is None:
            raise errors.NotFound
        return run

    def _hook(self, name: HookName, *, queue: str = "", command: str = "") -> Hook:
        if command:
            return Hook(name=name, command=command)
        hook = self._house.hook(name, queue)
        if hook is None:
            raise errors.Conflict(f"The hook {name} is not set, or switched off.", code="replay_not_set")
        return hook


def _as_replay(kept: bytes, hashes: Mapping[str, str]) -> bytes:
    """The recorded input, marked, and with the hashes where they lie now."""
    try:
        data = msgspec.json.decode(kept, type=dict[str, msgspec.Raw])
        files = msgspec.json.decode(data["files"], type=list[dict[str, msgspec.Raw]])
        for entry in files:
            entry_id = msgspec.json.decode(entry["id"], type=str)
            entry["hashes"] = msgspec.Raw(msgspec.json.encode(hashes.get(entry_id, "")))
    except (msgspec.MsgspecError, KeyError, RecursionError):
        raise errors.Conflict("What this run had read is not kept any more.", code="replay_gone") from None
    again = {**data, "files": msgspec.Raw(msgspec.json.encode(files)), "replay": msgspec.Raw(b"true")}
    return msgspec.json.encode(again)


def _judged(output: bytes, read: _Read, volumes: Mapping[str, Volume]) -> _Answer:
    try:
        return _Answer(read_answer(output, read.files, list(volumes.values())))
    except BrokenAnswer as broken:
        return _Answer(None, "\n".join(broken.faults))


def _compared(run: HookRun, read: _Read, before: _Answer, now: _Answer, volumes: Mapping[str, Volume]) -> Replay:
    start = Replay(
        run=run.id,
        started=views.moment(run.started),
        user=read.user_hr,
        state=_state(before, now),
        error=now.error,
        error_before=before.error,
    )
    if before.judged is None or now.judged is None:
        return start
    one, other = before.judged, now.judged
    entries = tuple(_entry(entry, one.entries[entry.id], other.entries[entry.id], volumes) for entry in read.files)
    form = _differing(_form(one.form), _form(other.form))
    changed = sum(entry.before != entry.now for entry in entries)
    differing = sum(bool(entry.changes) for entry in entries)
    return msgspec.structs.replace(
        start,
        state="changed" if differing or form else "same",
        verdicts=len(entries),
        changed=changed,
        reworded=differing - changed,
        entries=entries,
        form=form,
    )


def _state(before: _Answer, now: _Answer) -> str:
    if now.judged is None:
        return "fails_now" if before.judged else "fails_still"
    return "same" if before.judged else "failed_before"


def _entry(entry: _Offered, one: JudgedEntry, other: JudgedEntry, volumes: Mapping[str, Volume]) -> ReplayedEntry:
    return ReplayedEntry(
        id=entry.id,
        filename=entry.filename,
        before=one.verdict.kind.value,
        now=other.verdict.kind.value,
        changes=_differing(_said(one, volumes), _said(other, volumes)),
    )


def _said(entry: JudgedEntry, volumes: Mapping[str, Volume]) -> dict[str, Any]:
    verdict = entry.verdict
    return {
        "verdict": verdict.kind.value,
        "path": views.notation_of(entry.place, volumes),
        **{name: getattr(verdict, name) for name in ("warning", "info", "ident", "comment_label")},
        "findings": list(verdict.findings),
        "further": msgspec.json.decode(entry.extras),
    }


def _form(form: Form) -> dict[str, Any]:
    return asdict(form)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {key: (one[key], other[key]) for key in one if one[key] != other[key]}


def _added_up(done: list[Replay], total: int, following: int | None) -> Replays:
    return Replays(
        total=total,
        runs=len(done),
        next=following,
        verdicts=sum(one.verdicts for one in done),
        changed=sum(one.changed for one in done),
        reworded=sum(one.reworded for one in done),
        states=dict(Counter(one.state for one in done)),
        items=[_only_differing(one) for one in done if one.state != "same"],
    )


def _only_differing(one: Replay) -> Replay:
    return msgspec.structs.replace(one, entries=tuple(entry for entry in one.entries if entry.changes))
