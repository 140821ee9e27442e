"""The names of hooks, and the spellings under which scripts know them."""

from __future__ import annotations

from enum import Enum


class HookName(str, Enum):
    PRE_PUBLISH = "pre-publish-server"
    PUBLISH = "publish-server"
    PRE_SUBMIT = "pre-submit-server"
    POST_SUBMIT = "post-submit-server"
    POST_FAILED = "post-failed-server"
    POST_DONE = "post-done-server"
    PRE_SUBMIT_CLIENT = "pre-submit-client"
    POST_SUBMIT_CLIENT = "post-submit-client"
    POST_FAILED_CLIENT = "post-failed-client"
    POST_DONE_CLIENT = "post-done-client"

    def __str__(self) -> str:
        return self.value


RUN_NOW = frozenset({HookName.PRE_PUBLISH, HookName.PUBLISH})
"""The hooks that this version runs; the others are known by name and cannot be set."""

_SHORT = {"pre-publish": HookName.PRE_PUBLISH, "publish": HookName.PUBLISH}


def canonical(text: str) -> HookName | None:
    """The hook meant by any of its spellings (`hook-job-publish-server`, `publish-server`, `publish`, ...), or None."""
    name = text.strip().lower()
    for prefix in ("hook-job-", "hook-", "job-"):
        name = name.removeprefix(prefix)
    try:
        return _SHORT.get(name) or HookName(name)
    except ValueError:
        return None


def unknown(text: str) -> str:
    """What to say of a word that is no hook."""
    return f"{text!r} is no hook: write pre-publish-server or publish-server, or pre-publish or publish for short."
