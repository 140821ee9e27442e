"""How users, keys, volumes, hooks and settings are shown: the same JSON from the command line and the API."""

from __future__ import annotations

from ..model.entities import ApiKey, Hook, User, Volume, Workspace
from ..model.settings import SETTINGS, Value
from ..wire.house import HookView, KeyView, SettingView, UserMade, UserView, VolumeView
from .views import moment, moment_or_none


def user(user: User) -> UserView:
    return UserView(
        id=user.id,
        code=user.code,
        name=user.name,
        role=user.role.value,
        status="enabled" if user.enabled else "disabled",
        created=moment(user.created),
        modified=moment(user.modified),
        metadata=dict(user.metadata),
    )


def made(workspace: Workspace, user: User, api_key: str) -> UserMade:
    return UserMade(workspace=workspace.code, user=user.code, id=user.id, api_key=api_key)


def key(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        label=key.label,
        created=moment(key.created),
        expires=moment_or_none(key.expires),
        revoked=moment_or_none(key.revoked),
    )


def volume(volume: Volume, room: tuple[int, int] | None) -> VolumeView:
    """`room`: free and total bytes of its disk; None where it is not there."""
    return VolumeView(
        id=volume.id,
        code=volume.code,
        path=volume.root,
        aliases=volume.aliases,
        default=volume.default,
        status="enabled" if volume.enabled else "disabled",
        capabilities=dict(volume.capabilities),
        free=room[0] if room else None,
        size=room[1] if room else None,
    )


def hook(hook: Hook) -> HookView:
    return HookView(
        name=hook.name.value,
        queue=hook.queue,
        command=hook.command,
        environment=tuple(sorted(hook.environment)),
        user=hook.run_as,
        status="enabled" if hook.enabled else "disabled",
        modified=moment(hook.modified),
    )


def setting(name: str, value: Value) -> SettingView:
    return SettingView(name=name, value=value, default=SETTINGS[name].default, reason=SETTINGS[name].reason)
