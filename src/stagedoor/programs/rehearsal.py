"""A hook tried out without a server: `stagedoor hook test`.

Rules
1. The script runs as it will on the server: same line, environment, deadline, judgement.
2. Nothing is kept but what is returned. A publish hook is given the named files themselves, where they are.
3. Where no volumes are known, every volume is taken to exist: places are checked for their spelling only, it is said,
   and they are shown as the script wrote them.
4. The ways out that are named are those of a rehearsal: there may be no server to ask for its volumes.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import xxhash
from blake3 import blake3

from ..lifecycle import views
from ..lifecycle.hookinput import job_input, pre_publish_input
from ..lifecycle.judge import BrokenAnswer, oddities, read_answer
from ..lifecycle.needs import Outcome, RunOrder
from ..lifecycle.offer import tree_json, undecided
from ..lifecycle.presubmit import refusal
from ..model import errors, form, manifest
from ..model.entities import (
    BUILT_IN_QUEUES,
    DEFAULT_QUEUE,
    Hook,
    Job,
    Notice,
    Offer,
    OfferEntry,
    Queue,
    Role,
    RunState,
    Task,
    User,
    Volume,
    Workspace,
)
from ..model.hooks import AFTERWARDS, ANSWERING, RUN_NOW, SECONDS, HookName
from ..model.manifest import Manifest
from ..model.notation import Place
from ..model.settings import SETTINGS, Settings
from ..model.states import JobState, OfferState, TaskStatus
from ..model.verdict import Kind, Verdict
from ..wire.offers import OfferAnswer
from ..wire.tree import Entry
from .places import any_volume, as_written, volume, with_way_out
from .runner import Nowhere, ProgramRunner
from .script import command_line, guess_hook

NO_VOLUMES = "No volumes are known here: paths were checked for their spelling only."
REAL_FILES = "The script was given the named files themselves, where they are."
_USER = User(id="0" * 24, code="vendor@example.com", role=Role.STANDARD)
_QUEUE = Queue(id="0" * 24, code=DEFAULT_QUEUE, priority=BUILT_IN_QUEUES[DEFAULT_QUEUE], default=True)
_WORKSPACE = Workspace(id="0" * 24, code="rehearsal")
_RUN_ID = f"rehearsal-{secrets.token_hex(8)}"
"""of this process alone: at its end a run ends every process that carries its id"""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    hook: str
    command: str
    ok: bool
    """the script ended well and its answer can be used, also where it refuses"""
    state: str
    exit_code: int | None
    seconds: float
    error: str
    """why it counts as failed"""
    faults: tuple[str, ...]
    """what is wrong with the answer"""
    notes: tuple[str, ...]
    publish: OfferAnswer | None
    """the verdicts, as a server would answer; without volumes every `path` as the script wrote it"""
    refused: str | None
    """why a pre-submit hook makes no job; empty where it did so by its exit code alone; null where a job is made"""
    places_checked: bool
    """whether volumes were known"""
    input: str
    output: str
    stdout: str
    stderr: str


class _Draft(msgspec.Struct, frozen=True):
    """An entry as it was offered, and where its files are."""

    entry: OfferEntry
    manifest: Manifest
    tree: bytes
    source: str


def rehearse(
    *,
    script: str,
    entries: Sequence[Mapping[str, Any]],
    hook: HookName | None = None,
    volumes: Sequence[tuple[str, str] | Volume] = (),
    answers: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> Rehearsal:
    """Run a hook on local files and judge it.

    `script`: a Python file, an executable or a command line. `entries`: as `stagedoor.scan` makes them. `hook`: guessed
    from the name of the script where it is left out. `volumes`: those of a server, or code and root, the first being
    the default. `answers`: for a publish hook, `comment`, `status`, `time_report`, `metadata`, `task`. `seconds`: the
    deadline, else the server's default. Raises ValueError where there is no such script, ManifestRefused where the
    names cannot be offered.
    """
    command = command_line(script)
    hook = hook or guess_hook(script)
    drafts = _read(entries)
    with tempfile.TemporaryDirectory(prefix="stagedoor-rehearsal-") as home:
        stage = _Stage(Path(home), hook, command, environment or {}, seconds)
        known = [
            item if isinstance(item, Volume) else volume(*item, default=not number)
            for number, item in enumerate(volumes)
        ]
        if hook is HookName.PRE_PUBLISH:
            return stage.pre_publish(drafts, known)
        if hook in RUN_NOW:
            return stage.of_job(drafts, known, answers or {})
    raise ValueError(f"{hook} cannot be tested: it is not run by this version; it runs {', '.join(RUN_NOW)}")


class _Stage:
    """One run in a home of its own."""

    def __init__(
        self, home: Path, hook: HookName, command: str, environment: Mapping[str, str], seconds: float | None
    ) -> None:
        self.hook = hook
        self.command = command
        self.environment = environment
        self.seconds = seconds or (Settings().number(SECONDS[hook]) if hook in SECONDS else 0)
        self.runner = ProgramRunner(home, Nowhere(), _now)

    def pre_publish(self, drafts: list[_Draft], volumes: list[Volume]) -> Rehearsal:
        offer = Offer(
            id="0" * 24,
            user_id=_USER.id,
            state=OfferState.CHECKED,
            created=_now(),
            expires=_now(),
            hostname="localhost",
            ip="127.0.0.1",
            client="stagedoor hook test",
            size=sum(draft.entry.size for draft in drafts),
            entries=tuple(draft.entry for draft in drafts),
        )
        trees = {draft.entry.id: draft.tree for draft in drafts}
        data = pre_publish_input(user=_USER, workspace=_WORKSPACE, offer=offer, trees=trees)
        outcome, seconds = self._run(data, {})
        checked = bool(volumes)
        notes = (*(() if checked else (NO_VOLUMES,)), *oddities(outcome.output or b""))
        if outcome.state is not RunState.SUCCEEDED or outcome.output is None:
            return self._result(outcome, seconds, notes=notes)
        volumes = volumes or list(any_volume(outcome.output))
        try:
            judged = read_answer(outcome.output, offer.entries, volumes)
        except BrokenAnswer as broken:
            faults = tuple(with_way_out(fault, volumes) for fault in broken.faults)
            return self._result(outcome, seconds, faults=faults, notes=notes)
        notes = (*notes, *judged.remarks)
        decided = tuple(
            replace(entry, verdict=found.verdict, place=found.place, extras=found.extras)
            for entry, found in ((entry, judged.entries[entry.id]) for entry in offer.entries)
        )
        inside = replace(_USER, role=Role.ADMIN)  # a developer wants to see the places
        answer = views.offer(
            replace(offer, form=judged.form, entries=decided), inside, {volume.id: volume for volume in volumes}
        )
        if not checked:
            answer = as_written(answer, outcome.output)
        return self._result(outcome, seconds, publish=answer, notes=notes, checked=checked)

    def of_job(self, drafts: list[_Draft], volumes: list[Volume], given: Mapping[str, Any]) -> Rehearsal:
        volumes = [*volumes, volume("local", "/")]
        arrived = self.hook not in (HookName.PRE_SUBMIT, HookName.POST_SUBMIT)
        names = {draft.entry.id: f"hashes-{draft.entry.number}.jsonl" for draft in drafts if arrived}
        folder = self.runner.folder(_RUN_ID)
        data = job_input(
            self.hook,
            user=_USER,
            workspace=_WORKSPACE,
            job=_job(drafts, volumes, _answers(given), arrived=arrived),
            queue=_QUEUE,
            volumes={volume.id: volume for volume in volumes},
            trees={draft.entry.id: draft.tree for draft in drafts},
            placed={draft.entry.id: draft.source for draft in drafts},
            modified={draft.entry.id: draft.entry.modified for draft in drafts},
            hashes={entry_id: str(folder / name) for entry_id, name in names.items()},
            attempt=1,
            status="init" if self.hook is HookName.PRE_SUBMIT else "",
            notice=_notice(self.hook),
        )
        files = {names[draft.entry.id]: b"".join(_hash_lines(draft)) for draft in drafts if arrived}
        outcome, seconds = self._run(data, files)
        if self.hook is not HookName.PRE_SUBMIT:
            return self._result(outcome, seconds, notes=(REAL_FILES,))
        try:
            return self._result(outcome, seconds, notes=(REAL_FILES,), refused=refusal(outcome))
        except BrokenAnswer as broken:
            faults = () if outcome.error else tuple(broken.faults)
            return self._result(outcome, seconds, faults=faults, notes=(REAL_FILES,))

    def _run(self, data: bytes, files: Mapping[str, bytes]) -> tuple[Outcome, float]:
        order = RunOrder(
            run=Hook(name=self.hook, command=self.command).begun(_RUN_ID, at=_now()),
            environment=self.environment,
            input=data,
            files=files,
            wants_output=self.hook is HookName.PRE_PUBLISH,
            may_answer=self.hook in ANSWERING,
            seconds=self.seconds,
            answer_bytes=int(SETTINGS["hook_answer_bytes"].default),
        )
        began = time.monotonic()
        outcome = self.runner.run(order)
        return outcome, round(time.monotonic() - began, 3)

    def _result(
        self,
        outcome: Outcome,
        seconds: float,
        *,
        publish: OfferAnswer | None = None,
        faults: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        checked: bool = True,
        refused: str | None = None,
    ) -> Rehearsal:
        return Rehearsal(
            hook=self.hook.value,
            command=self.command,
            ok=(outcome.state is RunState.SUCCEEDED or bool(refused)) and not faults,
            state=outcome.state.value,
            exit_code=outcome.exit_code,
            seconds=seconds,
            error=outcome.error or ("the hook's answer cannot be used" if faults else ""),
            faults=faults,
            notes=notes,
            publish=publish,
            refused=refused,
            places_checked=checked,
            **self.runner.read_record(_RUN_ID),
        )


def _now() -> int:
    return time.time_ns() // 1_000_000


def _read(entries: Sequence[Mapping[str, Any]]) -> list[_Draft]:
    drafts: list[_Draft] = []
    faults: list[manifest.Fault] = []
    for number, given in enumerate(entries):
        entry = msgspec.convert(given, Entry)
        found, wrong = manifest.read(entry)
        faults.extend(wrong)
        offered = replace(undecided(entry, number, found), verdict=Verdict(kind=Kind.ACCEPTED))
        drafts.append(_Draft(offered, found, tree_json(entry), str(given.get("source", ""))))
    if faults:
        raise errors.ManifestRefused("; ".join(f"{fault.path} {fault.reason}" for fault in faults[:20]))
    return drafts


def _answers(given: Mapping[str, Any]) -> form.Answers:
    return form.Answers(
        comment=str(given.get("comment") or ""),
        time_report=form.parse_time(given.get("time_report")),
        status=str(given.get("status") or ""),
        task=str(given.get("task") or ""),
        metadata=form.parse_metadata(given.get("metadata")),
    )


def _notice(hook: HookName) -> Notice | None:
    """What a post hook is told of."""
    if hook not in AFTERWARDS:
        return None
    status = {HookName.POST_SUBMIT: "waiting", HookName.POST_FAILED: "failed", HookName.POST_DONE: "done"}[hook]
    notice = Notice(id="0" * 24, hook=hook, job_id="0" * 24, created=_now(), status=status)
    if hook is not HookName.POST_FAILED:
        return notice
    return replace(notice, error="This is a rehearsal.", error_code="hook_failed", error_detail="nothing has failed")


def _job(drafts: list[_Draft], volumes: list[Volume], answers: form.Answers, *, arrived: bool) -> Job:
    tasks = tuple(
        Task(
            id=draft.entry.id,
            job_id="0" * 24,
            number=draft.entry.number,
            filename=draft.entry.filename,
            is_dir=draft.entry.is_dir,
            source=draft.source,
            size=draft.entry.size,
            file_count=draft.entry.file_count,
            status=TaskStatus.DONE if arrived else TaskStatus.PENDING,
            upload_id="",
            staging="",
            place=_place(draft.source, volumes),
            verdict=draft.entry.verdict,
            answers=answers,
        )
        for draft in drafts
    )
    return Job(
        id="0" * 24,
        code="rehearsal",
        user_id=_USER.id,
        offer_id="0" * 24,
        state=JobState.INGESTING,
        created=_now(),
        modified=_now(),
        hostname="localhost",
        size=sum(task.size for task in tasks),
        attempts=1,
        tasks=tasks,
    )


def _place(source: str, volumes: list[Volume]) -> Place:
    """Where a local file lies; the last volume holds everything."""
    volume = next(volume for volume in volumes if Path(source).is_relative_to(volume.root))
    return Place(volume.id, Path(source).relative_to(volume.root).as_posix())


def _hash_lines(draft: _Draft) -> Iterator[bytes]:
    for file in draft.manifest.files:
        with suppress(OSError):  # gone by now, or spelled otherwise on this disk
            one, other = _hashes(Path(draft.source) / file.path if file.path else Path(draft.source))
            line = {"path": file.path, "size": file.size, "xxh128": one, "blake3": other}
            yield msgspec.json.encode(line) + b"\n"


def _hashes(path: Path) -> tuple[str, str]:
    one, other = xxhash.xxh3_128(), blake3()
    with path.open("rb") as stream:
        while chunk := stream.read(2**20):
            one.update(chunk)
            other.update(chunk)
    return one.hexdigest(), other.hexdigest()
