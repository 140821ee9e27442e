"""A line that is not set yet, tried on what vendors had offered.

Rules
1. The line is judged as one that is to be set: what could not be set cannot be tried.
2. It reads what the newest pre-publish runs had read; where none is kept, a small offer that is made up. Nothing is
   recorded of what it said, nothing kept or reserved, and the hook that is set stays as it is.
3. That it was tried is a line of the audit log: a program of somebody's choice has run on the server.
4. Only the pre-publish hook is tried like this: the others do something.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..model import errors, manifest
from ..model.entities import Hook, Offer, OfferEntry, User, Volume
from ..model.hooks import HookName
from ..model.states import OfferState
from ..wire.house import NewHook
from ..wire.replays import Sample, SampleEntry, Trial
from ..wire.tree import Entry, Node
from . import views
from .hookinput import pre_publish_input
from .hookline import check_command, check_environment, check_person, check_queue, hook_name
from .judge import Judged
from .needs import AuditBook, Clock, House
from .offer import tree_json, undecided
from .replay import Replaying

_VERSION = "demo_sq010_sh0010_comp_v001"
_FRAMES = range(1001, 1006)
_FRAME_BYTES = 1_000_000
_GONE = {"gone"}


class Trying:
    def __init__(self, replaying: Replaying, house: House, audit: AuditBook, clock: Clock) -> None:
        self._replaying = replaying
        self._house = house
        self._audit = audit
        self._clock = clock

    def line(self, by: User, name: str, wanted: NewHook, *, limit: int, seconds: float) -> Trial:
        """Raises BadRequest, Busy."""
        known = hook_name(name)
        warnings = check_command(known, wanted.command)
        check_environment(wanted.environment)
        check_person(wanted.user)
        check_queue(known, wanted.queue)
        if known is not HookName.PRE_PUBLISH:
            raise errors.BadRequest(
                f"{known} does something, so it is not tried on what earlier runs had read. Run it on files of your "
                "own: stagedoor hook test SCRIPT PATH.",
                code="trial_does",
            )
        hook = Hook(name=known, command=wanted.command, environment=dict(wanted.environment), run_as=wanted.user)
        self._audit.tried(hook)
        found = self._replaying.through(hook, limit=limit, seconds=seconds)
        kept = set(found.states) - _GONE
        sample = None if kept or not limit else self._sample(by, hook)
        return Trial(replays=found, sample=sample, warnings=tuple(warnings))

    def _sample(self, by: User, hook: Hook) -> Sample:
        offered = list(_offered())
        entries = [undecided(entry, number, manifest.read(entry)[0]) for number, entry in enumerate(offered)]
        offer = Offer(
            id="0" * 24,
            user_id=by.id,
            state=OfferState.CHECKED,
            created=self._clock(),
            expires=self._clock(),
            hostname="localhost",
            ip="127.0.0.1",
            client="trial",
            size=sum(entry.size for entry in entries),
            entries=tuple(entries),
        )
        trees = {entry.id: tree_json(entry) for entry in offered}
        data = pre_publish_input(user=by, workspace=self._house.workspace(), offer=offer, trees=trees)
        volumes = self._house.volumes()
        judged, error = self._replaying.says(hook, data)
        return Sample(error=error, entries=_told(judged, entries, volumes) if judged else ())


def _offered() -> Sequence[Entry]:
    """A version of a shot, as frames and as a movie."""
    frames = [Node(filename=f"{_VERSION}.{number}.exr", size=_FRAME_BYTES) for number in _FRAMES]
    return (
        Entry(id="00000000-0000-4000-8000-000000000001", filename=_VERSION, files=frames, is_dir=True),
        Entry(id="00000000-0000-4000-8000-000000000002", filename=f"{_VERSION}.mov", size=_FRAME_BYTES, is_dir=False),
    )


def _told(judged: Judged, entries: Sequence[OfferEntry], volumes: Sequence[Volume]) -> tuple[SampleEntry, ...]:
    by_id = {volume.id: volume for volume in volumes}
    found = [(entry.filename, judged.entries[entry.id]) for entry in entries]
    return tuple(
        SampleEntry(
            filename=filename,
            verdict=one.verdict.kind.value,
            path=views.notation_of(one.place, by_id),
            warning=one.verdict.warning,
            info=one.verdict.info,
            findings=msgspec.to_builtins(list(one.verdict.findings)),
        )
        for filename, one in found
    )
