"""Jobs and their entries, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .numbers import clock, count, moment, size, spoken
from .page import Column, Page, indented

Job = Mapping[str, Any]

_PHASES = {
    "upload": "waits for bytes",
    "prove": "is being proved",
    "place": "is being placed",
    "ingest": "is being ingested at the studio",
}
STYLES = {"done": "green", "failed": "bold red", "aborted": "red", "running": "cyan", "waiting": "yellow"}


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
        return f"running: {job.get('progress', 0)} % received"
    if status in ("running", "waiting") and phase in _PHASES:
        return f"{status}: {_PHASES[phase]}"
    if status == "failed":
        return f"failed in the step {phase!r}" + (f", tried again {moment(job['retry_at'])}" if will_go_on(job) else "")
    return status


def listing(page: Page, jobs: Sequence[Job], limit: int) -> None:
    if not jobs:
        page.say("No jobs. Finished ones are shown with --finished.")
        return
    page.table(
        [
            Column("ID"),
            Column("NAME"),
            Column("STATE"),
            Column("SIZE", right=True),
            Column("USER"),
            Column("CREATED"),
        ],
        [
            (
                str(job["id"]),
                str(job.get("code", "")),
                state(job),
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
    page.say(f"  state:    {state(job)}", STYLES.get(str(job.get("status")), ""))
    _line(page, "user", person(job))
    _line(page, "from", str(job.get("hostname") or ""))
    _line(page, "created", moment(job.get("created")))
    _line(page, "finished", moment(job.get("finished")))
    _line(page, "size", f"{size(int(job.get('size') or 0))}, {size(int(job.get('received') or 0))} received")
    for key in ("error", "detail", "reference"):
        _line(page, key, str(job.get(key) or ""))
    for note in job.get("notes") or ():
        if note == job.get("error"):
            continue
        _line(page, "note", str(note))
    page.say()
    for task in job.get("tasks") or ():
        _task(page, task)
    page.say(what_next(job))


def _line(page: Page, label: str, words: str) -> None:
    if words:
        page.say(f"  {label + ':':<9} {indented(words, ' ' * 12).strip()}")


def _task(page: Page, task: Mapping[str, Any]) -> None:
    verdict = "" if task.get("can_publish") else "  upload only, not a publish"
    folder = "/" if task.get("is_dir") else ""
    page.say(
        f"  {task.get('uri')}. {task.get('filename')}{folder}  {size(int(task.get('size') or 0))}{verdict}", "bold"
    )
    page.say(f"     {task.get('status')}, {task.get('progress', 0)} % received")
    for label, key in (("is", "ident"), ("from", "source"), ("to", "path_abs_final"), ("error", "error")):
        if task.get(key):
            page.say(f"     {label + ':':<9} {indented(str(task[key]), ' ' * 15).strip()}")
    for label, words in answers(task.get("answers") or {}):
        page.say(f"     {label + ':':<9} {indented(words, ' ' * 15).strip()}")
    page.say()


def answers(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and words of what the user filled in."""
    told = []
    if given.get("comment"):
        told.append(("comment", str(given["comment"])))
    if given.get("time_report"):
        told.append(("time", clock(int(given["time_report"]))))
    told += [(key, str(given[key])) for key in ("status", "task") if given.get(key)]
    told += [(str(key), str(value)) for key, value in (given.get("metadata") or {}).items()]
    return told


def what_next(job: Job) -> str:
    """What the user can or need not do now."""
    status, phase, id_ = job.get("status"), job.get("phase"), job["id"]
    if status == "done":
        return f"Done. The receipt: stagedoor job show {id_} --receipt FILE"
    if status == "aborted":
        return "Aborted. To send these files after all, publish them again."
    if will_go_on(job):
        return "It will be tried again by itself; there is nothing to do."
    if status == "failed":
        reference = str(job.get("reference") or "")
        told = f" Tell the studio the reference {reference}." if reference not in str(job.get("error")) else ""
        return f"When the studio has mended it: stagedoor job retry {id_}. Nothing is sent a second time.{told}"
    if phase == "upload":
        kept = (
            f"; what has arrived is kept until {moment(job['staging_expires'])}" if job.get("staging_expires") else ""
        )
        return f"Files are still to be sent: stagedoor job resume {id_}{kept}."
    return "Everything has arrived; the studio is working on it. There is nothing to do."


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
