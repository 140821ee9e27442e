"""How users, keys, volumes, queues, hooks and settings are shown: the same JSON from the command line and the API.

Rules
1. Only `user`, `me`, `session`, `passkey` and `workspace` may be shown to a standard user; the internal part of
   metadata is not.
"""

from __future__ import annotations

import shlex

from ..model.audit import HIDDEN
from ..model.entities import ApiKey, Hook, Queue, Role, User, Volume, Workspace
from ..model.metadata import Metadata
from ..model.settings import SETTINGS, Effective, Level
from ..model.signin import Invitation, Known, Limits, Passkey, Session
from ..wire.house import (
    HookView,
    KeyView,
    MetadataView,
    QueueView,
    SettingView,
    UserMade,
    UserView,
    VolumeView,
    WorkspaceView,
)
from ..wire.signin import InvitationView, Me, PasskeyView, SessionView
from .views import moment, moment_or_none


def metadata(kept: Metadata, *, inside: bool = True) -> MetadataView:
    return MetadataView(internal=dict(kept.internal) if inside else {}, external=dict(kept.external))


def workspace(found: Workspace, *, inside: bool = True) -> WorkspaceView:
    return WorkspaceView(id=found.id, code=found.code, metadata=metadata(found.metadata, inside=inside))


def user(user: User, *, inside: bool = True) -> UserView:
    """`inside`: for who works at the studio."""
    return UserView(
        id=user.id,
        code=user.code,
        name=user.name,
        role=user.role.value,
        status="enabled" if user.enabled else "disabled",
        created=moment(user.created),
        modified=moment(user.modified),
        metadata=metadata(user.metadata, inside=inside),
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


def me(known: Known, limits: Limits, *, has_password: bool, old: bool) -> Me:
    """`old`: whether a new password needs the old one."""
    shown = user(known.user, inside=known.user.works_here)
    now = known.session
    return Me(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        session=session(now, limits, now) if now else None,
        has_password=has_password,
        old_password=old,
    )


def session(found: Session, limits: Limits, now: Session | None) -> SessionView:
    """`now`: the one that asks."""
    return SessionView(
        id=found.id,
        created=moment(found.created),
        last_used=moment(found.last_used),
        expires=moment(limits.end_of(found)),
        ip=found.ip,
        client=found.client,
        way=found.way.value,
        current=now is not None and now.id == found.id,
    )


def passkey(found: Passkey) -> PasskeyView:
    return PasskeyView(
        id=found.id,
        name=found.name,
        host=found.host,
        created=moment(found.created),
        last_used=moment_or_none(found.last_used),
    )


def invitation(found: Invitation, now: int) -> InvitationView:
    return InvitationView(
        id=found.id,
        email=found.email,
        role=found.role.value,
        created=moment(found.created),
        expires=moment(found.expires),
        state=found.state(now),
        by=found.by,
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
        metadata=metadata(volume.metadata),
    )


def queue(queue: Queue, busy: tuple[int, int]) -> QueueView:
    """`busy`: how many of its jobs are under way, and how many wait."""
    return QueueView(
        id=queue.id,
        code=queue.code,
        priority=queue.priority,
        default=queue.default,
        status=queue.status.value,
        description=queue.description,
        created=moment(queue.created),
        modified=moment(queue.modified),
        running=busy[0],
        waiting=busy[1],
        metadata=metadata(queue.metadata),
    )


def hook(hook: Hook, reader: User | None = None) -> HookView:
    """`reader`: None for who has the home itself. Secrets in the line are for administrators."""
    return HookView(
        name=hook.name.value,
        queue=hook.queue,
        command=command_line(hook.command, reader),
        environment=tuple(sorted(hook.environment)),
        user=hook.run_as,
        status="enabled" if hook.enabled else "disabled",
        modified=moment(hook.modified),
    )


def command_line(line: str, reader: User | None) -> str:
    """Of a line its program, scripts and placeholders. Anything else may be a secret, and is for administrators."""
    if reader is None or reader.role is Role.ADMIN:
        return line
    try:
        words = shlex.split(line)
    except ValueError:
        return HIDDEN
    shown: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        known = not shown or word.startswith("${") or (word.startswith("/") and not before.startswith("-"))
        if known or shown[-1] != HIDDEN:
            shown.append(word if known else HIDDEN)
    return " ".join(shown)


def setting(name: str, found: Effective) -> SettingView:
    known = SETTINGS[name]
    return SettingView(
        name=name,
        value=found.value,
        default=known.default,
        reason=known.reason,
        level=found.level.value if found.level else "default",
        set_on=found.name,
        levels=(Level.WORKSPACE.value, *(level.value for level in known.levels)),
        choices=known.choices,
        least=known.least,
    )
