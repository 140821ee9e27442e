"""Hooks: whether their lines could run. Nothing is started: a publish hook may not be repeated for fun."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.entities import Hook
from ...model.hooks import HookName
from ...programs.examine import faults
from .diagnosis import Diagnosis, fault, ok


def examine(hooks: list[Hook]) -> Iterator[Diagnosis]:
    if not any(hook.name is HookName.PRE_PUBLISH for hook in hooks):
        sentence = "It is not set: every offer is refused."
        yield fault("hooks", str(HookName.PRE_PUBLISH), sentence, "stagedoor hook set pre-publish-server 'LINE'")
    for hook in hooks:
        yield from _hook(hook)


def _hook(hook: Hook) -> Iterator[Diagnosis]:
    name = f"{hook.name} of queue {hook.queue}" if hook.queue else str(hook.name)
    found = faults(hook.command)
    for reason in found:
        where = f" --queue {hook.queue}" if hook.queue else ""
        way_out = f"Mend it, or set another line: stagedoor hook set {hook.name} 'LINE'{where}"
        yield fault("hooks", name, f"It cannot run: {reason}.", way_out)
    if not found:
        yield ok("hooks", name, "Its program and scripts are there; try it with `stagedoor hook test`.")
