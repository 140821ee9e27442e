"""What the studio manages: workspace, users, keys, volumes, queues, hooks, settings, metadata."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """Every refusal looks like this."""

    code: str
    message: str
    details: dict[str, Any]
    request_id: str


class MetadataView(Struct, frozen=True, kw_only=True):
    """Pairs of text that the studio keeps about something, and hands to its hooks."""

    internal: dict[str, str] = {}
    """for the studio only: empty for standard users"""
    external: dict[str, str] = {}


class MetadataChange(Struct, frozen=True, kw_only=True):
    """Pairs to be set; null takes one away. What is not named stays."""

    internal: dict[str, str | None] = {}
    external: dict[str, str | None] = {}


class WorkspaceView(Struct, frozen=True, kw_only=True):
    id: str
    code: str
    metadata: MetadataView = field(default_factory=MetadataView)


class WorkspaceChange(Struct, frozen=True, kw_only=True):
    metadata: MetadataChange | None = None


class UserView(Struct, frozen=True, kw_only=True):
    id: str
    code: str
    name: str
    role: str
    status: str
    """enabled or disabled"""
    created: datetime
    modified: datetime
    metadata: MetadataView = field(default_factory=MetadataView)


class NewUser(Struct, frozen=True, kw_only=True):
    code: str
    """e-mail address"""
    role: str = "standard"
    name: str = ""


class UserChange(Struct, frozen=True, kw_only=True):
    name: str | None = None
    status: str | None = None
    role: str | None = None
    metadata: MetadataChange | None = None


class UserMade(Struct, frozen=True, kw_only=True):
    """A new user, or a new key of one. `api_key` is shown this once."""

    workspace: str
    user: str
    id: str
    api_key: str


class KeyView(Struct, frozen=True, kw_only=True):
    id: str
    label: str
    created: datetime
    expires: datetime | None
    revoked: datetime | None


class NewKey(Struct, frozen=True, kw_only=True):
    label: str = ""
    days: int | None = None
    """until it expires; left out: never"""


class VolumeView(Struct, frozen=True, kw_only=True):
    id: str
    code: str
    path: str
    aliases: tuple[str, ...]
    default: bool
    status: str
    capabilities: dict[str, Any]
    free: int | None
    size: int | None
    metadata: MetadataView = field(default_factory=MetadataView)


class NewVolume(Struct, frozen=True, kw_only=True):
    code: str
    path: str
    aliases: tuple[str, ...] = ()
    default: bool = False


class VolumeChange(Struct, frozen=True, kw_only=True):
    aliases: tuple[str, ...] | None = None
    default: bool | None = None
    status: str | None = None
    metadata: MetadataChange | None = None


class QueueView(Struct, frozen=True, kw_only=True):
    id: str
    code: str
    priority: int
    """0 to 1000; jobs of the higher one go first"""
    default: bool
    status: str
    """waiting, or paused: none of its jobs is begun"""
    description: str
    created: datetime
    modified: datetime
    running: int
    """how many of its jobs are under way"""
    waiting: int
    """how many wait for their turn"""
    metadata: MetadataView = field(default_factory=MetadataView)


class NewQueue(Struct, frozen=True, kw_only=True):
    code: str
    priority: int = 500
    default: bool = False
    description: str = ""


class QueueChange(Struct, frozen=True, kw_only=True):
    priority: int | None = None
    default: bool | None = None
    status: str | None = None
    """waiting or paused"""
    description: str | None = None
    metadata: MetadataChange | None = None


class HookView(Struct, frozen=True, kw_only=True):
    name: str
    queue: str
    """the queue for whose jobs it stands; empty: for all that have none of their own"""
    command: str
    environment: tuple[str, ...]
    """names of the variables that are set for it; what they hold is not shown"""
    user: str
    """the system user that runs it; empty: the server's own"""
    status: str
    """enabled or disabled"""
    modified: datetime


class NewHook(Struct, frozen=True, kw_only=True):
    command: str
    queue: str = ""
    environment: dict[str, str] = {}
    user: str = ""
    status: str = "enabled"


class HookChange(Struct, frozen=True, kw_only=True):
    status: str
    """enabled or disabled"""
    queue: str = ""


class RunView(Struct, frozen=True, kw_only=True):
    id: str
    hook: str
    state: str
    command: str
    version: str
    user: str
    offer: str
    job: str
    attempt: int
    started: datetime
    ended: datetime | None
    seconds: float | None
    exit_code: int | None
    error: str
    replay: bool = False
    """a person ran it once more, on what an earlier run had read"""
    user_hr: str = ""
    """e-mail address"""
    about: str = ""
    """the name of its job; before there is one, of the first entry of its offer"""
    entries: int = 0
    """of that job or offer"""


class RunDetail(Struct, frozen=True, kw_only=True):
    """Everything about one run: what it read, wrote and said."""

    run: RunView
    input: str
    output: str
    stdout: str | None
    """for administrators; null for employees"""
    stderr: str | None
    """likewise"""
    cut: tuple[str, ...] = ()
    """which of these are longer than was asked for"""


class SettingView(Struct, frozen=True, kw_only=True):
    name: str
    value: bool | int | str
    """the one that counts"""
    default: bool | int | str
    reason: str
    level: str
    """where it is set: workspace, volume, queue, job; `default` where nowhere"""
    set_on: str
    """code of that volume or queue, or id of that job; empty for the workspace and the default"""
    levels: tuple[str, ...]
    """what it can be set on"""
    choices: tuple[str, ...] = ()
    """of a text: what it may be"""
    least: int = 0
    """of a number"""


class SettingChange(Struct, frozen=True, kw_only=True):
    value: bool | int | str


class Health(Struct, frozen=True, kw_only=True):
    status: str
    version: str


# --- the server itself ----------------------------------------------------------------------------------------------


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What the doctor says about one thing."""

    area: str
    """home, limits, database, engine, jobs, volumes, hooks, mail, door, tls, clock"""
    about: str
    """which volume, hook or file; empty where the area has one thing only"""
    grade: Literal["ok", "warning", "fault"]
    """ok; warning: works, but look at it; fault: does not work"""
    sentence: str
    advice: str = ""
    """what to do; empty where all is well"""


class Checkup(Struct, frozen=True, kw_only=True):
    """What `stagedoor doctor` finds."""

    grade: Literal["ok", "warning", "fault"]
    """the gravest of all"""
    diagnoses: list[Diagnosis]
