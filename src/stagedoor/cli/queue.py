"""`stagedoor queue`: lines in which jobs wait for their turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import metadata
from .options import Group, at_home, open_home, wanted, where
from .screen.numbers import count
from .screen.page import Column, Page

PRIORITY = click.IntRange(0, 1000)


@click.group("queue", cls=Group)
def command() -> None:
    """Lines in which jobs wait for their turn."""


@command.command()
@click.argument("code")
@click.option("--priority", type=PRIORITY, required=True, help="0 to 1000; jobs of the higher one go first.")
@click.option("--default", is_flag=True, help="Where a job goes for which no queue is named.")
@click.option("--description", default="", help="What it is for.")
@at_home
def add(page: Page, home: Path, code: str, priority: int, default: bool, description: str) -> None:
    """Add the queue CODE."""
    with open_home(home) as server:
        made = server.queues.add(code, priority, default=default, description=description)
        _told(page, server, made.id, f"The queue {made.code} is added, priority {made.priority}.")


@command.command("list")
@where
@at_home
def list_(page: Page, home: Path, where: str | None) -> None:
    """List queues, the one that goes first at the top, with the jobs in them."""
    with open_home(home) as server:
        from ..lifecycle import shelf

        every = [_view(server, queue) for queue in server.queues.all()]
        views = shelf.page(every, shelf.QUEUES, wanted(where)).items
    page.answer({"queues": views})
    if page.json:
        return
    page.table(
        [
            Column("CODE"),
            Column("PRIORITY", right=True),
            Column("STATUS"),
            Column("RUNNING", right=True),
            Column("WAITING", right=True),
            Column("DESCRIPTION", long=True),
        ],
        [
            (
                view.code + (" *" if view.default else ""),
                str(view.priority),
                "paused" if view.status == "paused" else "open",
                str(view.running),
                str(view.waiting),
                view.description,
            )
            for view in views
        ],
    )
    page.note("* the default queue")


@command.command()
@click.argument("code")
@at_home
def show(page: Page, home: Path, code: str) -> None:
    """Show the queue CODE: priority, the jobs in it, metadata. Its settings: stagedoor settings show --queue CODE."""
    with open_home(home) as server:
        view = _view(server, server.queues.find(code))
    page.answer(view)
    if page.json:
        return
    status = "paused" if view.status == "paused" else "open"
    page.say(f"Queue {view.code}{' (default)' if view.default else ''}: priority {view.priority}, {status}.")
    page.say(f"  {count(view.running, 'job')} running, {view.waiting} waiting")
    if view.description:
        page.say(f"  {view.description}")
    metadata.say(page, view.metadata)


@command.command("set")
@click.argument("code")
@click.option("--priority", type=PRIORITY, help="0 to 1000; jobs of the higher one go first.")
@click.option("--default", is_flag=True, help="Where a job goes for which no queue is named.")
@click.option("--description", help="What it is for.")
@metadata.metadata
@at_home
def set_(
    page: Page,
    home: Path,
    code: str,
    priority: int | None,
    default: bool,
    description: str | None,
    internal: dict[str, str],
    external: dict[str, str],
) -> None:
    """Change the queue CODE; what is not given stays. Its settings: stagedoor settings set NAME VALUE --queue CODE."""
    if not (default or internal or external) and priority is None and description is None:
        raise click.UsageError("Say what to change: --priority, --default, --description, --metadata or --external.")
    with open_home(home) as server:
        metadata.change(server, "queue", code, internal, external)
        changed = server.queues.update(code, priority=priority, default=default or None, description=description)
        _told(page, server, changed.id, f"The queue {changed.code} has priority {changed.priority}.")


@command.command()
@click.argument("code")
@at_home
def remove(page: Page, home: Path, code: str) -> None:
    """Remove the queue CODE; no unfinished job may be in it."""
    with open_home(home) as server:
        queue = server.queues.find(code)
        server.queues.remove(queue.id)
    page.done({"removed": queue.code}, f"The queue {queue.code} is removed.")


@command.command()
@click.argument("code")
@at_home
def pause(page: Page, home: Path, code: str) -> None:
    """Begin no more jobs of the queue CODE. Uploads arrive all the same, and what is under way goes on to its end."""
    with open_home(home) as server:
        changed = server.queues.update(code, status="paused")
        _told(page, server, changed.id, f"The queue {changed.code} is paused; what arrives waits in it.")


@command.command()
@click.argument("code")
@at_home
def resume(page: Page, home: Path, code: str) -> None:
    """Begin jobs of the queue CODE again."""
    with open_home(home) as server:
        changed = server.queues.update(code, status="waiting")
        _told(page, server, changed.id, f"The queue {changed.code} is open; a running server begins its jobs.")


def _told(page: Page, server: Any, queue_id: str, words: str) -> None:
    view = _view(server, server.queues.find(queue_id))
    page.answer(view)
    if not page.json:
        page.say(words)
        metadata.say(page, view.metadata)


def _view(server: Any, queue: Any) -> Any:
    from ..lifecycle import house

    return house.queue(queue, server.queues.busy().get(queue.id, (0, 0)))
