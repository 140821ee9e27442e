"""Jobs and their entries, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import verdicts
from .numbers import clock, count, moment, size, spoken
from .page import Column, Page, indented

Job = Mapping[str, Any]

_PHASES = {
    "upload": "waits for bytes",
    "prove": "is being proved",
    "place": "is being placed",
    "ingest": "is being ingested at the studio",
}
_TURN = {"prove": "proved", "place": "placed", "ingest": "ingested"}
STYLES = {
    "paused": "yellow",
    "done": "green",
    "failed": "bold red",
    "aborted": "red",
    "running": "cyan",
    "waiting": "yellow",
}


def will_go_on(job: Job) -> bool:
    """Failed, but tried again by itself."""
    return job.get("status") == "failed" and bool(job.get("retry_at"))


def ended(job: Job) -> bool:
    """Done, aborted, or failed with no retry due: nothing happens by itself any more."""
    return job.get("status") in ("done", "aborted") or (job.get("status") == "failed" and not job.get("retry_at"))


def state(job: Job) -> str:
    """In words: `running: is being proved`."""
    status, phase = str(job.get("status")), str(job.get("phase"))
    if status == "running" and phase == "upload":
        return f"running: {job.get('progress', 0)} % received{pace(job)}"
    if status == "waiting" and phase in _TURN:
        return f"waiting: waits for its turn to be {_TURN[phase]}"
    if status == "paused":
        return f"paused: in the step {phase!r}, {job.get('progress', 0)} % received"
    if status in ("running", "waiting") and phase in _PHASES:
        return f"{status}: {_PHASES[phase]}"
    if status == "failed":
        return f"failed in the step {phase!r}" + (f", tried again {moment(job['retry_at'])}" if will_go_on(job) else "")
    return status


def standing(job: Job) -> str:
    """The same as the end of a sentence about the job."""
    status = str(job.get("status"))
    return "is paused" if status == "paused" else state(job).removeprefix("running: ").removeprefix("waiting: ")


def pace(job: Job) -> str:
    """`, 84 MB/s, 0:00:23 left` while bytes come; else empty."""
    speed, left = float(job.get("speed") or 0), job.get("etr")
    if speed <= 0:
        return ""
    return f", {size(int(speed * 1e6))}/s" + (f", {left} left" if left else "")


def brief(job: Job) -> str:
    """In a word or two, for a list: `failed: ingest`."""
    status, phase = str(job.get("status")), str(job.get("phase"))
    if status == "running" and phase == "upload":
        return f"running: {job.get('progress', 0)} %{pace(job)}"
    return status if phase == "ended" else f"{status}: {phase}"


def reference(job: Job) -> str:
    """What to tell the studio, as long as it is about how the job stands now."""
    return str(job.get("reference") or "") if job.get("status") == "failed" else ""


def _placed(job: Job) -> list[Mapping[str, Any]]:
    return [task for task in job.get("tasks") or () if task.get("status") == "done"]


def placed(job: Job) -> str:
    """How many entries lie at their destination already; empty where none does."""
    number = len(_placed(job))
    return f"{count(number, 'entry was', 'entries were')} placed already." if number else ""


def advise(page: Page, job: Job) -> None:
    """What to do next; of an aborted job also where its entries lie, for those who may know."""
    page.note(what_next(job))
    if job.get("status") == "aborted":
        for task in _placed(job):
            if task.get("path_abs_final"):
                page.note(f"  {task['path_abs_final']}")


def listing(page: Page, jobs: Sequence[Job], limit: int) -> None:
    if not jobs:
        page.say("No jobs. Finished ones are shown with --finished.")
        return
    page.table(
        [
            Column("ID"),
            Column("NAME", long=True),
            Column("STATE"),
            Column("SIZE", right=True),
            Column("USER", long=True),
            Column("CREATED"),
        ],
        [
            (
                str(job["id"]),
                str(job.get("code", "")),
                brief(job),
                size(int(job.get("size") or 0)),
                person(job),
                moment(job.get("created")),
            )
            for job in jobs
        ],
    )
    if len(jobs) == limit:
        page.note(f"These are the newest {limit}; --limit shows more.")


def person(job: Job) -> str:
    """The e-mail address out of `user:<mail>[<role>](<id>)`."""
    words = str(job.get("user_hr") or job.get("user") or "")
    return words.removeprefix("user:").split("[", 1)[0]


def show(page: Page, job: Job) -> None:
    page.say(f"{job.get('code')}  ({job['id']})", "bold")
    _line(page, "state", state(job), STYLES.get(str(job.get("status")), ""))
    _line(page, "user", person(job))
    _line(page, "from", str(job.get("hostname") or ""))
    _line(page, "created", moment(job.get("created")))
    _line(page, "finished", moment(job.get("finished")))
    _line(page, "size", f"{size(int(job.get('size') or 0))}, {size(int(job.get('received') or 0))} received")
    _line(page, "queue", str(job.get("queue_hr") or ""))
    _line(page, "waits", str(job.get("waits_for") or ""))
    told = reference(job)
    error = str(job.get("error") or "")
    _line(page, "error", error.replace(f"Reference: {told}", "").strip() if told else error)
    _line(page, "detail", str(job.get("detail") or ""))
    _line(page, "reference", told)
    for words in pairs(job.get("metadata") or {}):
        _line(page, "metadata", words)
    for note in job.get("notes") or ():
        if note == job.get("error"):
            continue
        _line(page, "note", str(note))
    page.say()
    for number, task in enumerate(job.get("tasks") or (), 1):
        _task(page, number, task)
    page.say(what_next(job))


def pairs(metadata: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Of a job or anything else that carries them."""
    for part, kept in metadata.items():
        for key, value in kept.items():
            yield f"{key} = {value}" + ("  (external)" if part == "external" else "")


def _line(page: Page, label: str, words: str, style: str = "") -> None:
    if words:
        page.say(f"  {label + ':':<10} {indented(words, ' ' * 13).strip()}", style)


TOLD_OF_A_TASK = (
    ("is", "ident"),
    ("why", "warning"),
    ("note", "info"),
    ("from", "source"),
    ("to", "path_abs_final"),
    ("error", "error"),
)


def _task(page: Page, number: int, task: Mapping[str, Any]) -> None:
    verdict = "" if task.get("can_publish") else "  upload only, not a publish"
    name = f"{task.get('filename')}{'/' if task.get('is_dir') else ''}"
    page.say(f"  {number}. {name}  {size(int(task.get('size') or 0))}{verdict}", "bold")
    page.say(f"     {task.get('status')}, {task.get('progress', 0)} % received")
    for label, key in TOLD_OF_A_TASK:
        if task.get(key):
            page.say(f"     {label + ':':<9} {indented(str(task[key]), ' ' * 15).strip()}")
    _replaced(page, task)
    verdicts.findings(page, task)
    given = task.get("answers") or {}
    for label, words in answers(given):
        page.say(f"     {label + ':':<9} {indented(words, ' ' * 15).strip()}")
    _metadata(page, given.get("metadata") or {})
    page.say()


def _replaced(page: Page, task: Mapping[str, Any]) -> None:
    """What was there before; told to who works at the studio."""
    if task.get("kept"):
        page.say(f"     replaced: what was there lies in {task['kept']} until {moment(task['kept_until'])}")
    elif task.get("kept_until"):
        page.say("     replaced: what was there is gone, its time is over")


def _metadata(page: Page, pairs: Mapping[str, Any]) -> None:
    """Pairs that the user named, moved in: no name of theirs can pass for a label of ours."""
    if pairs:
        page.say("     metadata:")
    for key, value in pairs.items():
        page.say(indented(f"{key} = {value}".replace("\n", "\n  "), " " * 9))


def answers(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and words of what the user filled in, metadata aside."""
    told = []
    if given.get("comment"):
        told.append(("comment", str(given["comment"])))
    if given.get("time_report"):
        told.append(("time", clock(int(given["time_report"]))))
    told += [(key, str(given[key])) for key in ("status", "task") if given.get(key)]
    return told


def what_next(job: Job) -> str:
    """What the user can or need not do now."""
    status, phase, id_ = job.get("status"), job.get("phase"), job["id"]
    if status == "done":
        return f"Done. The receipt: stagedoor job show {id_} --receipt FILE"
    if status == "aborted":
        return _after_abort(job)
    if will_go_on(job):
        return "It will be tried again by itself; there is nothing to do."
    if status == "failed":
        return f"Once the cause is mended, the studio or you can run it again from that step: stagedoor job retry {id_}"
    if status == "paused":
        return _while_paused(job)
    if status == "waiting" and phase in _TURN:
        return "Everything has arrived; it waits for its turn at the studio. There is nothing to do."
    if phase == "upload":
        kept = (
            f"; what has arrived is kept until {moment(job['staging_expires'])}" if job.get("staging_expires") else ""
        )
        return f"Files are still to be sent: stagedoor job resume {id_}{kept}."
    return "Everything has arrived; the studio is working on it. There is nothing to do."


def _while_paused(job: Job) -> str:
    id_, tasks = job["id"], job.get("tasks") or ()
    held = [str(number) for number, task in enumerate(tasks, 1) if task.get("status") == "onhold"]
    if job.get("error_code") == "on_hold" and held:
        return f"It waits for the studio, which lets it go on: stagedoor job release {id_} {' '.join(held)}"
    return f"It is paused; who may, lets it go on: stagedoor job resume {id_}"


def _after_abort(job: Job) -> str:
    there = len(_placed(job))
    if not there:
        return "Aborted. To send these files after all, publish them again."
    stays = count(there, "entry was placed already and stays", "entries were placed already and stay")
    rest = " The others can be published again." if there < len(job["tasks"]) else ""
    return f"Aborted. {stays}; publish a new version, or ask the studio.{rest}"


def summary(page: Page, job: Job) -> None:
    """The last words on a job that is done."""
    tasks = job.get("tasks") or ()
    published = [str(task.get("ident") or task.get("filename")) for task in tasks if task.get("can_publish")]
    uploaded = [str(task.get("filename")) for task in tasks if not task.get("can_publish")]
    if published:
        page.say(f"Published: {spoken(published, 20)}.", "green")
    if uploaded:
        page.say(f"Uploaded, but not published: {spoken(uploaded, 20)}.", "yellow")
    words = f"{count(len(tasks), 'entry', 'entries')}, {size(int(job.get('size') or 0))}"
    page.say(f"{words}; the receipt: stagedoor job show {job['id']} --receipt FILE")


def receipt(page: Page, found: Mapping[str, Any]) -> None:
    """What a receipt proves, in a few lines."""
    entries = found.get("entries") or ()
    files = sum(len(entry.get("files") or ()) for entry in entries)
    page.say(
        f"Receipt: {count(len(entries), 'entry', 'entries')}, {count(files, 'file')}, "
        f"{size(int(found.get('size') or 0))}, proved byte by byte on {moment(found.get('proved'))}."
    )
