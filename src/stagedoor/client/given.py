"""What a script hands over, made into what travels."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..model.errors import BadRequest
from ..version import __version__
from ..wire.tree import Entry
from .scan import absolute

CLIENT = f"stagedoor {__version__}"
_PARTY = re.compile(r"[\w.@-]{2,}[:=]|[A-Za-z]:[\\/]|[\\/]")

Json = dict[str, Any]


def entries(files: Sequence[Mapping[str, Any]]) -> list[Entry]:
    try:
        return msgspec.convert(list(files), list[Entry])
    except msgspec.ValidationError as error:
        raise BadRequest(f"The entries cannot be read: {error}") from None


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ValueError(f"{name} must be a dict, not {type(value).__name__}: {value!r:.80}")


def submission(data: Mapping[str, Any]) -> Json:
    tasks = data.get("tasks") or ()
    if isinstance(tasks, (str, bytes, Mapping)) or not isinstance(tasks, Sequence):
        raise ValueError(f"tasks must be a list of dicts {{id, source}}, not {type(tasks).__name__}")
    body: Json = {"hostname": socket.gethostname(), "client": CLIENT, **data}
    body["tasks"] = [_task(mapping(task, "a task")) for task in tasks]
    return body


def _task(task: Mapping[str, Any]) -> Json:
    """With an absolute source: a later process may go on from another folder."""
    source = task.get("source")
    if not source or not isinstance(source, (str, os.PathLike)):
        raise ValueError(f"task {task.get('id', '')} has no `source`: give the path on this machine")
    text = os.fsdecode(source)
    return {**task, "source": text if _PARTY.match(text) else absolute(text)}
