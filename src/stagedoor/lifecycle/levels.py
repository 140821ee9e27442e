"""Settings and metadata, on whatever the studio puts them: workspace, users, volumes, queues, jobs.

Rules
1. A setting can be set where `model.settings` says; what is not set there is taken from above.
2. What changed counts at once, in every process.
3. The callers decide who may call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..model.entities import Job, Queue, User, Volume, Workspace
from ..model.errors import BadRequest, NotFound
from ..model.metadata import Changes, Metadata
from ..model.names import printable
from ..model.settings import SETTINGS, Effective, Level, Settings, Value, known, parse
from .queues import find_queue, find_volume


class On(NamedTuple):
    """What something is set on."""

    level: Level = Level.WORKSPACE
    named: str = ""
    """by code or id; empty for the workspace"""


WORKSPACE = On()


class LevelBook(Protocol):
    """What is kept on things."""

    def change_setting(self, level: Level, id_: str, name: str, value: Value | None) -> bool: ...
    def change_metadata(self, level: Level, id_: str, change: Callable[[Metadata], Metadata]) -> Metadata: ...


class Things(Protocol):
    """Where things are found."""

    def workspace(self) -> Workspace: ...
    def settings(self) -> Settings: ...
    def settings_of(self, job: Job) -> Settings: ...
    def user(self, user_id: str) -> User | None: ...
    def user_by_code(self, code: str) -> User | None: ...
    def volumes(self) -> list[Volume]: ...
    def queues(self) -> list[Queue]: ...


class Levels:
    def __init__(
        self,
        book: LevelBook,
        things: Things,
        job: Callable[[str], Job | None],
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """`changed` is called when a setting has changed: it may be somebody's turn now."""
        self._book = book
        self._things = things
        self._job = job
        self._changed = changed

    # --- settings

    def settings(self, on: On = WORKSPACE) -> dict[str, Effective]:
        """Every setting that can be set there: its value, and where that comes from."""
        found = self._effective(on)
        return {name: found.effective(name) for name, setting in SETTINGS.items() if setting.on(on.level)}

    def set_setting(self, name: str, value: Value, on: On = WORKSPACE) -> Effective:
        """Raises BadRequest with what the setting takes."""
        text = ("on" if value else "off") if isinstance(value, bool) else str(value)
        try:
            parsed = parse(name, text, on.level)
        except ValueError as error:
            raise BadRequest(f"This cannot be set: {error}.", code="setting_refused") from None
        return self._change(name, parsed, on)

    def unset_setting(self, name: str, on: On = WORKSPACE) -> Effective:
        """Back to what is set above, or to the default."""
        try:
            known(name, on.level)
        except ValueError as error:
            raise BadRequest(f"This cannot be unset: {error}.", code="setting_refused") from None
        return self._change(name, None, on)

    def _change(self, name: str, value: Value | None, on: On) -> Effective:
        self._book.change_setting(on.level, self._id(on), name, value)
        self._changed()
        return self._effective(on).effective(name)

    def _effective(self, on: On) -> Settings:
        if on.level is Level.VOLUME:
            return self._things.settings().on_volume(find_volume(on.named, self._things.volumes()))
        if on.level is Level.QUEUE:
            return self._things.settings().on_queue(find_queue(on.named, self._things.queues()))
        if on.level is Level.JOB:
            return self._things.settings_of(self._found_job(on.named))
        return self._things.settings()

    # --- metadata

    def change_metadata(self, on: On, internal: Changes, external: Changes) -> Metadata:
        """Set pairs, or take away those whose value is None or empty. Raises BadRequest."""
        try:
            return self._book.change_metadata(on.level, self._id(on), lambda kept: kept.changed(internal, external))
        except ValueError as error:
            raise BadRequest(f"This cannot be kept: {error}.", code="metadata_refused") from None

    def metadata(self, on: On) -> Metadata:
        return self._thing(on).metadata

    # --- whose

    def _id(self, on: On) -> str:
        return self._thing(on).id

    def _thing(self, on: On) -> Workspace | User | Volume | Queue | Job:
        if on.level is Level.USER:
            return self._found_user(on.named)
        if on.level is Level.VOLUME:
            return find_volume(on.named, self._things.volumes())
        if on.level is Level.QUEUE:
            return find_queue(on.named, self._things.queues())
        if on.level is Level.JOB:
            return self._found_job(on.named)
        return self._things.workspace()

    def _found_user(self, named: str) -> User:
        found = self._things.user_by_code(named) or self._things.user(named)
        if found is None:
            raise NotFound(f"There is no user {printable(named)!r}; see `stagedoor user list`.", code="user_unknown")
        return found

    def _found_job(self, named: str) -> Job:
        found = self._job(named)
        if found is None:
            raise NotFound(f"There is no job {printable(named)!r}; see `stagedoor jobs`.", code="job_unknown")
        return found
