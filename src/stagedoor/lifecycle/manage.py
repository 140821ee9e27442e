"""What the studio manages: workspace, users, keys, volumes, hooks. The same for command line and API.

Rules
1. Input is judged here, once, for all doors; a refusal says what to write instead.
2. The callers decide who may call; messages are for administrators and may name the studio's paths.
3. People and things are named by code or by id.
4. There is always an enabled administrator, and a default volume where there are volumes.
5. Only hooks that this version runs can be set.
"""

from __future__ import annotations

import grp
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ..model.entities import ApiKey, Hook, Queue, Role, User, Volume, Workspace
from ..model.errors import BadRequest, Conflict, NotFound
from ..model.hooks import HookName
from ..model.names import printable
from .hookline import check_command, check_environment, check_person, check_queue, hook_name
from .needs import Clock
from .queues import CODE, find_queue, find_volume

DAY = 86_400_000
INHERIT = "inherit"

_ADDRESS = re.compile(r"[^@\s<>\"',;:\\/=()\[\]]{1,64}@[^\W_](?:[^\W_]|-|\.(?!\.)){0,188}(?<![.-])")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")

Probe = Callable[[str], dict[str, Any]]
"""What the file system below a folder can do; `safe`, and `reason` where it is not."""


class HouseBook(Protocol):
    """What management asks of the records."""

    def found(self, code: str, admin: str, now: int) -> tuple[Workspace, User]: ...
    def user(self, user_id: str) -> User | None: ...
    def user_by_code(self, code: str) -> User | None: ...
    def users(self) -> list[User]: ...
    def add_user(self, code: str, role: Role, name: str, now: int) -> User: ...
    def update_user(self, user_id: str, now: int, **changes: Any) -> User: ...
    def volumes(self) -> list[Volume]: ...
    def add_volume(self, volume: Volume) -> Volume: ...
    def update_volume(self, volume_id: str, now: int, **changes: Any) -> Volume: ...
    def remove_volume(self, volume_id: str) -> None: ...
    def queues(self) -> list[Queue]: ...
    def hooks(self) -> list[Hook]: ...
    def set_hook(self, hook: Hook) -> None: ...
    def unset_hook(self, name: HookName, queue: str = "") -> bool: ...


class KeyBook(Protocol):
    def make(self, user_id: str, label: str, now: int, expires: int | None) -> tuple[ApiKey, str]: ...
    def list(self, user_id: str) -> list[ApiKey]: ...
    def revoke(self, user_id: str, key_id: str, now: int) -> None: ...


class Management:
    def __init__(self, house: HouseBook, keys: KeyBook, clock: Clock) -> None:
        self._house = house
        self._keys = keys
        self._clock = clock

    # --- workspace

    def init(self, workspace: str, admin: str) -> tuple[Workspace, User, str]:
        """Make the workspace and its first administrator; the last item is their API key, told this once."""
        _check_code(workspace, "workspace")
        made, user = self._house.found(workspace, address_of(admin), self._clock())
        return made, user, self.add_key(user.id, label="first")[1]

    # --- users and keys

    def user(self, named: str) -> User:
        """By e-mail address or id. Raises NotFound."""
        found = self._house.user_by_code(named) or self._house.user(named)
        if found is None:
            raise NotFound(f"There is no user {printable(named)!r}; see `stagedoor user list`.", code="user_unknown")
        return found

    def users(self) -> list[User]:
        return self._house.users()

    def add_user(self, code: str, role: str = "standard", name: str = "") -> tuple[User, str]:
        """A new user and their API key, told this once. Raises BadRequest, Conflict (`user_exists`)."""
        user = self._house.add_user(address_of(code), role_of(role), name_of(name), self._clock())
        return user, self.add_key(user.id, label="first")[1]

    def update_user(
        self,
        named: str,
        *,
        name: str | None = None,
        role: str | None = None,
        status: str | None = None,
    ) -> User:
        """Change what is given. `status`: enabled or disabled. Raises Conflict rather than lose the last admin."""
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = name_of(name)
        if role is not None:
            changes["role"] = role_of(role)
        if status is not None:
            changes["enabled"] = is_enabled(status)
        return self._house.update_user(self.user(named).id, self._clock(), **changes)

    def add_key(self, named: str, *, label: str = "", days: int | None = None) -> tuple[ApiKey, str]:
        """A further API key, told this once; `days` until it expires, or never."""
        if days is not None and not 0 < days <= 36_500:
            raise BadRequest("A key is valid for 1 to 36500 days; leave the number out for a key without end.")
        now = self._clock()
        return self._keys.make(self.user(named).id, name_of(label), now, None if days is None else now + days * DAY)

    def keys(self, named: str) -> list[ApiKey]:
        return self._keys.list(self.user(named).id)

    def revoke_key(self, named: str, key_id: str) -> None:
        self._keys.revoke(self.user(named).id, key_id, self._clock())

    # --- volumes

    def volume(self, named: str) -> Volume:
        """By code or id. Raises NotFound."""
        return find_volume(named, self._house.volumes())

    def volumes(self) -> list[Volume]:
        return self._house.volumes()

    def add_volume(
        self, code: str, path: str, *, aliases: Iterable[str] = (), default: bool = False, probe: Probe
    ) -> Volume:
        """A new volume. Raises BadRequest where the folder cannot be one, Conflict where code or prefix is in use."""
        _check_code(code, "volume")
        root = _root(path)
        known = self._house.volumes()
        prefixes = _aliases(aliases, root)
        _check_prefixes([root, *prefixes], known)
        capabilities = probe(root)
        if not capabilities.get("safe", False):
            reason = capabilities.get("reason") or "its file system cannot place entries without replacing others"
            raise BadRequest(f"{root} cannot be a volume: {reason}.", code="volume_unsafe", details=capabilities)
        now = self._clock()
        return self._house.add_volume(
            Volume(
                id="",
                code=code,
                root=root,
                aliases=prefixes,
                default=default,
                capabilities=capabilities,
                created=now,
                modified=now,
            )
        )

    def update_volume(
        self,
        named: str,
        *,
        aliases: Iterable[str] | None = None,
        default: bool | None = None,
        status: str | None = None,
        capabilities: Mapping[str, Any] | None = None,
        file_mode: str | None = None,
        folder_mode: str | None = None,
        group: str | None = None,
    ) -> Volume:
        """Change what is given. `status`: enabled or disabled; `capabilities` as probed again; modes in octal digits,
        or `inherit`, which goes for `group` as well."""
        volume = self.volume(named)
        changes: dict[str, Any] = {}
        if aliases is not None:
            changes["aliases"] = _aliases(aliases, volume.root)
            _check_prefixes(changes["aliases"], [other for other in self._house.volumes() if other.id != volume.id])
        if default is not None:
            changes["default"] = default
        if status is not None:
            changes["enabled"] = is_enabled(status)
        if capabilities is not None:
            changes["capabilities"] = dict(capabilities)
        if file_mode is not None:
            changes["file_mode"] = _mode(file_mode, most=0o666, least=0o600)
        if folder_mode is not None:
            changes["folder_mode"] = _mode(folder_mode, most=0o2777, least=0o700)
        if group is not None:
            changes["group"] = _group(group)
        return self._house.update_volume(volume.id, self._clock(), **changes)

    def remove_volume(self, named: str) -> None:
        """Forget a volume; its files stay. Raises Conflict where unfinished jobs use it."""
        self._house.remove_volume(self.volume(named).id)

    # --- hooks

    def hooks(self) -> list[Hook]:
        return self._house.hooks()

    def set_hook(
        self,
        name: str,
        command: str,
        *,
        queue: str = "",
        environment: Mapping[str, str] | None = None,
        run_as: str = "",
        enabled: bool = True,
    ) -> tuple[Hook, list[str]]:
        """Set a hook, of the workspace or of one queue; also what looks wrong about it, though it may not be."""
        known = hook_name(name)
        warnings = check_command(known, command)
        queue = self._queue(known, queue)
        check_environment(environment or {})
        check_person(run_as)
        hook = Hook(
            name=known,
            queue=queue,
            command=command,
            environment=dict(environment or {}),
            run_as=run_as,
            enabled=enabled,
            modified=self._clock(),
        )
        self._house.set_hook(hook)
        return hook, warnings

    def switch_hook(self, name: str, *, enabled: bool, queue: str = "") -> Hook:
        """A hook that is switched off does not run, nor does that of the workspace instead of a queue's."""
        known = hook_name(name)
        queue = self._queue(known, queue)
        for hook in self._house.hooks():
            if (hook.name, hook.queue) == (known, queue):
                changed = replace(hook, enabled=enabled, modified=self._clock())
                self._house.set_hook(changed)
                return changed
        raise _not_set(known, queue)

    def unset_hook(self, name: str, queue: str = "") -> None:
        known = hook_name(name)
        queue = self._queue(known, queue)
        if not self._house.unset_hook(known, queue):
            raise _not_set(known, queue)

    def _queue(self, name: HookName, named: str) -> str:
        """The code of a queue that the hook may be set for; empty for the workspace."""
        check_queue(name, named)
        return find_queue(named, self._house.queues()).code if named else ""


def _not_set(name: HookName, queue: str) -> NotFound:
    where = f" for the queue {printable(queue)}" if queue else ""
    return NotFound(f"The hook {name} is not set{where}.", code="hook_not_set")


def _check_code(code: str, what: str) -> None:
    if not CODE.fullmatch(code) or code in (".", ".."):
        raise BadRequest(f"The code of a {what} is made of letters A-Z, digits, `_`, `.` and `-`: {printable(code)!r}.")


def address_of(code: str) -> str:
    text = code.strip()
    if not _ADDRESS.fullmatch(text) or printable(text) != text:
        raise BadRequest(f"{printable(code)!r} is not an e-mail address; write name@example.com.", code="bad_address")
    return text


def role_of(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise BadRequest(f"There is no role {printable(text)!r}; there are admin, employee and standard.") from None


def is_enabled(status: str) -> bool:
    if status not in ("enabled", "disabled"):
        raise BadRequest(f"The status is enabled or disabled, not {printable(status)!r}.")
    return status == "enabled"


def name_of(text: str) -> str:
    text = text.strip()
    if len(text) > 255 or printable(text) != text:
        raise BadRequest("A name has at most 255 characters, and none that cannot be printed.")
    return text


def _mode(text: str, *, least: int, most: int) -> int | None:
    """Permissions of what is placed: the server's user keeps theirs, and nothing becomes executable by accident."""
    if text == INHERIT:
        return None
    mode = int(text, 8) if re.fullmatch(r"[0-7]{3,4}", text) else -1
    if mode < 0 or mode & ~most or mode & least != least:
        raise BadRequest(f"A mode is written in octal digits from {least:o} to {most:o}, or `{INHERIT}`: {text!r}.")
    return mode


def _group(name: str) -> str:
    if name in ("", INHERIT):
        return ""
    try:
        grp.getgrnam(name)
    except KeyError:
        raise BadRequest(f"There is no group {printable(name)!r} on this machine.", code="group_unknown") from None
    return name


def _root(path: str) -> str:
    """The absolute path of a folder that can be a volume."""
    if not path or printable(path) != path:
        raise BadRequest("The path of a volume is empty or holds characters that cannot be printed.")
    try:
        root = Path("/" + os.path.normpath(Path(path).expanduser().absolute()).lstrip("/"))
        missing, top = not root.is_dir(), root.exists() and root.samefile("/")
    except (OSError, RuntimeError) as error:
        raise BadRequest(f"{path} cannot be looked at: {error}.", code="volume_missing") from None
    if missing:
        raise BadRequest(f"{root} is not a folder; make it first.", code="volume_missing")
    if top:
        raise BadRequest("The root of the file system cannot be a volume; choose a folder in it.")
    return str(root)


def _aliases(aliases: Iterable[str], root: str) -> tuple[str, ...]:
    bare = [_alias(alias) for alias in aliases]
    return tuple(dict.fromkeys(alias for alias in bare if alias != root))


def _alias(alias: str) -> str:
    bare = alias.rstrip("/\\")
    names = re.split(r"[/\\]", bare)
    absolute = alias.startswith("/") or _DRIVE.match(alias)
    if not absolute or not bare or printable(alias) != alias or any(name in ("", ".", "..") for name in names[1:]):
        raise BadRequest(
            f"An alias is an absolute prefix, such as /Volumes/projects or P:\\projects: {printable(alias)!r}."
        )
    return bare


def _check_prefixes(prefixes: Iterable[str], others: Iterable[Volume]) -> None:
    """Refuse a root or alias by which another volume is known."""
    taken = {_comparable(prefix): volume.code for volume in others for prefix in (volume.root, *volume.aliases)}
    taken |= {os.path.realpath(volume.root): volume.code for volume in others}
    for prefix in prefixes:
        code = taken.get(_comparable(prefix)) or taken.get(os.path.realpath(prefix))
        if code:
            raise Conflict(f"{prefix} already means the volume {code}.", code="prefix_taken")


def _comparable(prefix: str) -> str:
    return prefix.replace("\\", "/").rstrip("/") if _DRIVE.match(prefix + "/") else prefix.rstrip("/")
