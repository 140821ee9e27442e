"""Workspace, users, volumes, hooks: `lifecycle.needs.House`, and the writes of `lifecycle.manage`.

Rules
1. Codes of users and volumes are unique as people compare them: `JÖNS@X.SE` is `jöns@x.se`.
2. Where there are volumes, exactly one is the default.
3. A volume that unfinished jobs use cannot be removed.
4. Whether input makes sense is decided by `lifecycle.manage`; here only what must hold against other writers.
5. Every change adds a line to the audit log, in its transaction.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, insert, select, update

from ..model.entities import Hook, Job, Queue, Role, User, Volume, Workspace
from ..model.errors import Conflict, NotFound
from ..model.hooks import HookName
from ..model.settings import Settings
from ..model.signin import may_invite
from ..model.states import UNFINISHED
from . import pending
from .audit import note
from .columns import fold, only
from .database import Database
from .ids import new_id
from .queues import all_queues, make_built_in, of_queue
from .tables import hooks, invitations, jobs, links, picked, sessions, tasks, users, volumes, workspaces

USER = picked(users)
VOLUME = picked(volumes)
_USER_CHANGES = {"name", "role", "enabled"}
_VOLUME_CHANGES = {
    column.name for column in picked(volumes, "id", "code", "created", "modified", "settings", "metadata")
}


class HouseRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- workspace and settings

    def workspace(self) -> Workspace:
        """Raises NotFound before `found`."""
        with self._database.read() as connection:
            return _workspace(connection)

    def settings(self) -> Settings:
        return Settings(self.workspace().settings)

    def found(self, code: str, admin: str, now: int) -> tuple[Workspace, User]:
        """Make the workspace and its first user, an admin. Raises Conflict where there is a workspace."""
        with self._database.write() as connection:
            if connection.scalar(select(exists().select_from(workspaces))):
                raise Conflict("There is a workspace already; a server has one.", code="workspace_exists")
            workspace = Workspace(id=new_id(), code=code)
            connection.execute(insert(workspaces).values(**asdict(workspace)))
            note(connection, "create", "workspace", workspace.id, code)
            make_built_in(connection, now)
            return workspace, new_user(connection, admin, Role.ADMIN, "", now)

    def settings_of(self, job: Job) -> Settings:
        with self._database.read() as connection:
            settings = Settings(_workspace(connection).settings)
            queue = next((queue for queue in all_queues(connection) if queue.id == job.queue_id), None)
        return (settings.on_queue(queue) if queue else settings).on_job(job)

    def settings_at(self, volume_id: str) -> Settings:
        with self._database.read() as connection:
            settings = Settings(_workspace(connection).settings)
            volume = next((volume for volume in _volumes(connection) if volume.id == volume_id), None)
        return settings.on_volume(volume) if volume else settings

    # --- queues

    def queue(self, queue_id: str) -> Queue | None:
        return next((queue for queue in self.queues() if queue.id == queue_id), None)

    def queues(self) -> list[Queue]:
        with self._database.read() as connection:
            return all_queues(connection)

    # --- users

    def user(self, user_id: str) -> User | None:
        with self._database.read() as connection:
            return _user(connection, user_id)

    def user_by_code(self, code: str) -> User | None:
        with self._database.read() as connection:
            row = connection.execute(select(*USER).where(users.c.folded == fold(code))).one_or_none()
            return User(**row._mapping) if row else None

    def users(self) -> list[User]:
        with self._database.read() as connection:
            return [User(**row._mapping) for row in connection.execute(select(*USER).order_by(users.c.id))]

    def add_user(self, code: str, role: Role, name: str, now: int) -> User:
        """Raises Conflict (`user_exists`)."""
        with self._database.write() as connection:
            return new_user(connection, code, role, name, now)

    def update_user(self, user_id: str, now: int, **changes: Any) -> User:
        """Set `name`, `role`, `enabled`. Raises Conflict (`last_admin`) rather than leave no admin."""
        only(changes, _USER_CHANGES)
        with self._database.write() as connection:
            before = _user(connection, user_id)
            if before is None:
                raise NotFound(detail=f"no user {user_id}")
            changed = replace(before, modified=now, **changes)
            _keep_an_admin(connection, before, changed)
            if before.enabled and not changed.enabled:
                _shut_out(connection, changed)
            _withdraw(connection, changed)
            values = {**asdict(changed), "name_folded": fold(changed.name)}
            connection.execute(update(users).where(users.c.id == user_id).values(**values))
            note(connection, "change", "user", user_id, before.code, before=asdict(before), after=asdict(changed))
            return changed

    # --- volumes

    def volumes(self) -> list[Volume]:
        with self._database.read() as connection:
            return _volumes(connection)

    def add_volume(self, volume: Volume) -> Volume:
        """Raises Conflict (`volume_exists`). The first becomes the default."""
        with self._database.write() as connection:
            _claim_code(connection, volumes, volume.code, "volume")
            first = not _volumes(connection)
            made = replace(volume, id=volume.id or new_id(), default=volume.default or first)
            if made.default:
                _no_default(connection)
            connection.execute(insert(volumes).values(**asdict(made), folded=fold(made.code)))
            note(connection, "create", "volume", made.id, made.code, after=asdict(made))
            return made

    def update_volume(self, volume_id: str, now: int, **changes: Any) -> Volume:
        """Set fields but `id` and `code`. Raises Conflict where no default would remain."""
        only(changes, _VOLUME_CHANGES)
        with self._database.write() as connection:
            before = _volume(connection, volume_id)
            changed = replace(before, modified=now, **changes)
            if before.default and not changed.default:
                raise Conflict("There must be a default volume; make another one the default.", code="default_volume")
            if changed.default:
                _no_default(connection)
            connection.execute(update(volumes).where(volumes.c.id == volume_id).values(**asdict(changed)))
            note(connection, "change", "volume", volume_id, before.code, before=asdict(before), after=asdict(changed))
            return changed

    def remove_volume(self, volume_id: str) -> None:
        """Raises Conflict where unfinished jobs use it, or it is the default of several."""
        with self._database.write() as connection:
            volume = _volume(connection, volume_id)
            used = select(tasks.c.job_id).join(jobs, jobs.c.id == tasks.c.job_id).distinct()
            found = list(
                connection.scalars(
                    used.where(tasks.c.volume_id == volume_id, jobs.c.state.in_(UNFINISHED)).order_by(tasks.c.job_id)
                )
            )
            if found:
                raise Conflict(
                    f"Unfinished jobs use the volume {volume.code}; finish or abort them first.",
                    code="volume_in_use",
                    details={"jobs": found[:100]},
                )
            if volume.default and len(_volumes(connection)) > 1:
                raise Conflict("Make another volume the default first.", code="default_volume")
            connection.execute(delete(volumes).where(volumes.c.id == volume_id))
            note(connection, "remove", "volume", volume_id, volume.code, before=asdict(volume))

    # --- hooks

    def hook(self, name: HookName, queue: str = "") -> Hook | None:
        """The one of the queue, by its id, where it has one, else the workspace's; None also where that is switched
        off."""
        query = select(hooks).where(hooks.c.name == name, of_queue(hooks.c.queue, queue))
        with self._database.read() as connection:
            row = connection.execute(query.order_by(hooks.c.queue.desc()).limit(1)).one_or_none()
            return Hook(**row._mapping) if row and row.enabled else None

    def hooks(self) -> list[Hook]:
        with self._database.read() as connection:
            found = [Hook(**row._mapping) for row in connection.execute(select(hooks))]
        return sorted(found, key=lambda hook: (hook.name.value, hook.queue))

    def set_hook(self, hook: Hook) -> None:
        with self._database.write() as connection:
            before = _hook(connection, hook.name, hook.queue)
            connection.execute(delete(hooks).where(*_this_hook(hook.name, hook.queue)))
            connection.execute(insert(hooks).values(**asdict(hook)))
            told = asdict(before) if before else None
            note(connection, "set", "hook", hook.name.value, _told_hook(hook), before=told, after=asdict(hook))

    def unset_hook(self, name: HookName, queue: str = "") -> bool:
        """Whether it was set."""
        with self._database.write() as connection:
            before = _hook(connection, name, queue)
            if before is None:
                return False
            connection.execute(delete(hooks).where(*_this_hook(name, queue)))
            note(connection, "unset", "hook", name.value, _told_hook(before), before=asdict(before))
            return True


def _this_hook(name: HookName, queue: str) -> tuple[ColumnElement[bool], ...]:
    return hooks.c.name == name, hooks.c.queue == queue


def _told_hook(hook: Hook) -> str:
    """What the audit log calls it."""
    return f"{hook.name} of {hook.queue}" if hook.queue else hook.name.value


def _workspace(connection: Connection) -> Workspace:
    row = connection.execute(select(workspaces)).one_or_none()
    if row is None:
        raise NotFound("There is no workspace here yet: run `stagedoor init`.", code="no_workspace")
    return Workspace(**row._mapping)


def _hook(connection: Connection, name: HookName, queue: str) -> Hook | None:
    """The one that is set right there."""
    row = connection.execute(select(hooks).where(*_this_hook(name, queue))).one_or_none()
    return Hook(**row._mapping) if row else None


def _claim_code(connection: Connection, table: Table, code: str, what: str) -> None:
    taken = connection.scalar(select(table.c.code).where(table.c.folded == fold(code)))
    if taken is not None:
        raise Conflict(f"There is a {what} {taken} already.", code=f"{what}_exists", details={"code": taken})


def _user(connection: Connection, user_id: str) -> User | None:
    row = connection.execute(select(*USER).where(users.c.id == user_id)).one_or_none()
    return User(**row._mapping) if row else None


def user_of(row: Any) -> User:
    """Of a row that has more than the user."""
    return User(**{column.name: row._mapping[column] for column in USER})


def new_user(connection: Connection, code: str, role: Role, name: str, now: int, user_id: str = "") -> User:
    _claim_code(connection, users, code, "user")
    user = User(id=user_id or new_id(), code=code, role=role, name=name, created=now, modified=now)
    connection.execute(insert(users).values(**asdict(user), folded=fold(code)))
    note(connection, "create", "user", user.id, code, after=asdict(user))
    return user


def _shut_out(connection: Connection, user: User) -> None:
    """What a disabled user could come back by; keys, password and passkeys stay, and open nothing meanwhile."""
    for table in (sessions, links):
        connection.execute(delete(table).where(table.c.user_id == user.id))
    pending.revoke(connection, invitations.c.email_folded == fold(user.code), user.modified)


def _withdraw(connection: Connection, user: User) -> None:
    """Invitations by this user to what they may invite nobody to, as they are now."""
    roles = [role for role in Role if not may_invite(user, role)]
    pending.revoke(connection, and_(invitations.c.by == user.code, invitations.c.role.in_(roles)), user.modified)


def _keep_an_admin(connection: Connection, before: User, changed: User) -> None:
    def administrates(user: User) -> bool:
        return user.role is Role.ADMIN and user.enabled

    if not administrates(before) or administrates(changed):
        return
    others = select(users.c.id).where(users.c.role == Role.ADMIN, users.c.enabled.is_(True), users.c.id != before.id)
    if connection.execute(others.limit(1)).first() is None:
        raise Conflict("This is the last administrator; make another one first.", code="last_admin")


def _volumes(connection: Connection) -> list[Volume]:
    return [Volume(**row._mapping) for row in connection.execute(select(*VOLUME).order_by(volumes.c.id))]


def _volume(connection: Connection, volume_id: str) -> Volume:
    row = connection.execute(select(*VOLUME).where(volumes.c.id == volume_id)).one_or_none()
    if row is None:
        raise NotFound(detail=f"no volume {volume_id}")
    return Volume(**row._mapping)


def _no_default(connection: Connection) -> None:
    connection.execute(update(volumes).where(volumes.c.default.is_(True)).values(default=False))
