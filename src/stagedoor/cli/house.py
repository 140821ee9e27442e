"""What the studio manages, as it travels: the same JSON from the command line as from the API."""

from __future__ import annotations

import shutil
from typing import Any

from ..lifecycle.views import moment, moment_or_none
from ..model.entities import ApiKey, Hook, User, Volume
from ..model.settings import SETTINGS, Value
from ..wire.house import HookView, KeyView, SettingView, UserMade, UserView, VolumeView


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


def made(home: Any, user: User, api_key: str) -> UserMade:
    return UserMade(workspace=home.records.house.workspace().code, user=user.code, id=user.id, api_key=api_key)


def key(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        label=key.label,
        created=moment(key.created),
        expires=moment_or_none(key.expires),
        revoked=moment_or_none(key.revoked),
    )


def volume(volume: Volume) -> VolumeView:
    try:
        disk = shutil.disk_usage(volume.root)
    except OSError:  # unmounted, perhaps
        disk = None
    return VolumeView(
        id=volume.id,
        code=volume.code,
        path=volume.root,
        aliases=volume.aliases,
        default=volume.default,
        status="enabled" if volume.enabled else "disabled",
        capabilities=dict(volume.capabilities),
        free=disk.free if disk else None,
        size=disk.total if disk else None,
    )


def hook(hook: Hook) -> HookView:
    return HookView(name=hook.name.value, command=hook.command, modified=moment(hook.modified))


def setting(name: str, value: Value) -> SettingView:
    return SettingView(name=name, value=value, default=SETTINGS[name].default, reason=SETTINGS[name].reason)
