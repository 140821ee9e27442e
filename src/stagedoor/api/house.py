"""Workspace, users, keys, volumes. `signin` has sessions and invitations, `studio` queues and settings, `hooks`
hooks and their runs.

| | admin | employee | standard |
|---|---|---|---|
| own profile and keys | read, write | read, write | read, write |
| users | read, write | standard users: read, write | - |
| volumes | read, write | read | - |
"""

from __future__ import annotations

from litestar import delete, get, patch, post

from ..lifecycle import house as views
from ..lifecycle import shelf
from ..lifecycle.levels import On
from ..lifecycle.wanted import Wanted
from ..model import errors
from ..model.entities import ApiKey, Role, User, Volume
from ..model.settings import Level
from ..wire import calls
from ..wire.house import (
    MetadataChange,
    NewKey,
    NewUser,
    NewVolume,
    UserChange,
    UserMade,
    UserView,
    VolumeChange,
    VolumeView,
    WorkspaceChange,
    WorkspaceView,
)
from ..wire.jobs import Page
from .asking import Asked, admin, insider, route, services, user
from .threads import quick


@get(route(calls.WORKSPACE))
async def workspace(request: Asked) -> WorkspaceView:
    """The workspace."""
    found = await quick(services(request).reading.workspace)
    return views.workspace(found, inside=user(request).works_here)


@patch(route(calls.CHANGE_WORKSPACE))
async def change_workspace(request: Asked, data: WorkspaceChange) -> WorkspaceView:
    """Change the metadata of the workspace."""
    admin(request)
    await quick(note, request, On(), data.metadata)
    return views.workspace(await quick(services(request).reading.workspace))


def note(request: Asked, on: On, change: MetadataChange | None) -> None:
    """Change metadata, where that is asked for."""
    if change is not None:
        services(request).levels.change_metadata(on, change.internal, change.external)


def _shown(request: Asked, found: User) -> UserView:
    return views.user(found, inside=user(request).works_here)


# --- users and keys ------------------------------------------------------------------------------------------------


@get(route(calls.USERS))
async def users(request: Asked, wanted: Wanted) -> Page:
    """All users; for a standard user, themselves."""
    reading = services(request).reading
    total, found = await quick(reading.users, user(request), wanted=wanted)
    return Page(total=total, items=[views.user(one) for one in found])


@post(route(calls.ADD_USER))
async def add_user(request: Asked, data: NewUser) -> UserMade:
    """Add a user; their API key is shown this once. Employees add standard users."""
    insider(request)
    if data.role != Role.STANDARD:
        admin(request)
    made, key = await quick(services(request).manage.add_user, data.code, data.role, data.name)
    return await _made(request, made, key)


@get(route(calls.USER))
async def user_by_id(request: Asked, id: str) -> UserView:
    """One user."""
    return _shown(request, await quick(_seen, request, id))


@patch(route(calls.CHANGE_USER))
async def change_user(request: Asked, id: str, data: UserChange) -> UserView:
    """Change a user. One's own name; the rest is for who may manage that user."""
    return await quick(_change_user, request, id, data)


def _change_user(request: Asked, id: str, data: UserChange) -> UserView:
    found = _seen(request, id)
    if found.id != user(request).id or (data.role, data.status, data.metadata) != (None, None, None):
        _check_manages(user(request), found)
    if data.role is not None:
        admin(request)
    note(request, On(Level.USER, found.id), data.metadata)
    changed = services(request).manage.update_user(found.id, name=data.name, role=data.role, status=data.status)
    return _shown(request, changed)


@get(route(calls.KEYS))
async def keys(request: Asked, id: str, whole: Wanted) -> Page:
    """A user's API keys, without their secrets."""
    found = [views.key(key) for key in await quick(_keys, request, id)]
    return await quick(shelf.page, found, shelf.KEYS, whole)


@post(route(calls.ADD_KEY))
async def add_key(request: Asked, id: str, data: NewKey) -> UserMade:
    """Make a further API key, shown this once."""
    owner = await quick(seen_by_manager, request, id)
    _, secret = await quick(services(request).manage.add_key, owner.id, label=data.label, days=data.days)
    return await _made(request, owner, secret)


@delete(route(calls.REVOKE_KEY), status_code=204)
async def revoke_key(request: Asked, id: str, key: str) -> None:
    """Revoke an API key."""
    owner = await quick(seen_by_manager, request, id)
    await quick(services(request).manage.revoke_key, owner.id, key)


def _keys(request: Asked, id: str) -> list[ApiKey]:
    return services(request).manage.keys(seen_by_manager(request, id).id)


def seen_by_manager(request: Asked, id: str) -> User:
    """A user whose keys and sessions the one who asks may see and end: themselves, or whom they manage. Raises
    NotFound, Forbidden."""
    found = _seen(request, id)
    if found.id != user(request).id:
        _check_manages(user(request), found)
    return found


def _seen(request: Asked, id: str) -> User:
    who = user(request)
    found = services(request).reading.user(id)
    if found is None or not (who.works_here or who.id == found.id):
        raise errors.NotFound
    return found


def _check_manages(who: User, other: User) -> None:
    """Admins manage everybody, employees standard users."""
    if who.role is not Role.ADMIN and not (who.works_here and other.role is Role.STANDARD):
        raise errors.Forbidden


async def _made(request: Asked, made: User, key: str) -> UserMade:
    return views.made(await quick(services(request).reading.workspace), made, key)


# --- volumes -------------------------------------------------------------------------------------------------------


@get(route(calls.VOLUMES))
async def volumes(request: Asked, whole: Wanted) -> Page:
    """The volumes, with free space."""
    insider(request)
    total, found = await quick(services(request).reading.volumes, wanted=whole)
    return Page(total=total, items=await quick(lambda: [_volume(request, one) for one in found]))


@post(route(calls.ADD_VOLUME))
async def add_volume(request: Asked, data: NewVolume) -> VolumeView:
    """Add a volume: a folder on the server."""
    admin(request)
    made = await quick(
        services(request).manage.add_volume,
        data.code,
        data.path,
        aliases=data.aliases,
        default=data.default,
        probe=services(request).probe,
    )
    return await quick(_volume, request, made)


@get(route(calls.VOLUME))
async def volume(request: Asked, id: str) -> VolumeView:
    """One volume, by id or code."""
    insider(request)
    return await quick(lambda: _volume(request, services(request).manage.volume(id)))


@patch(route(calls.CHANGE_VOLUME))
async def change_volume(request: Asked, id: str, data: VolumeChange) -> VolumeView:
    """Change aliases, default, status or metadata of a volume."""
    admin(request)
    await quick(note, request, On(Level.VOLUME, id), data.metadata)
    changed = await quick(
        services(request).manage.update_volume, id, aliases=data.aliases, default=data.default, status=data.status
    )
    return await quick(_volume, request, changed)


@delete(route(calls.REMOVE_VOLUME), status_code=204)
async def remove_volume(request: Asked, id: str) -> None:
    """Forget a volume; its files stay."""
    admin(request)
    await quick(services(request).manage.remove_volume, id)


def _volume(request: Asked, found: Volume) -> VolumeView:
    return views.volume(found, services(request).room(found.root))


HANDLERS = [
    workspace,
    change_workspace,
    users,
    add_user,
    user_by_id,
    change_user,
    keys,
    add_key,
    revoke_key,
    volumes,
    add_volume,
    volume,
    change_volume,
    remove_volume,
]
