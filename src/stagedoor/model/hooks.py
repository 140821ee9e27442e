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


RUN_NOW = (
    HookName.PRE_PUBLISH,
    HookName.PRE_SUBMIT,
    HookName.POST_SUBMIT,
    HookName.PUBLISH,
    HookName.POST_FAILED,
    HookName.POST_DONE,
)
"""The hooks that this version runs, in the order in which they come; the others are known by name and cannot be set."""
AFTERWARDS = frozenset({HookName.POST_SUBMIT, HookName.POST_FAILED, HookName.POST_DONE})
"""The hooks that are told what has happened to a job, and change nothing."""
ANSWERING = frozenset({HookName.PRE_PUBLISH, HookName.PRE_SUBMIT})
"""The hooks that may write an answer; the first one must."""

SECONDS = {
    HookName.PRE_PUBLISH: "pre_publish_seconds",
    HookName.PRE_SUBMIT: "pre_submit_seconds",
    HookName.PUBLISH: "publish_seconds",
    **dict.fromkeys(AFTERWARDS, "post_hook_seconds"),
}
"""The setting that holds a hook's deadline."""

_SHORT = {name.value.removesuffix("-server"): name for name in RUN_NOW}


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
    return f"{text!r} is no hook; there are {', '.join(RUN_NOW)}, and the same without -server for short."
