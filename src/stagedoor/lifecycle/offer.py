"""Step 1: the client offers files and folders; the studio's pre-publish hook looks at the list.

Rules
1. Every fault of names, sizes and shape is told at once, before any hook runs.
2. Without a pre-publish hook every offer is refused. A hook that crashes, answers nonsense or takes too long never
   refuses: the check could not run, and the reference says which run to look at.
3. What the hook decided (verdict, place, form) is kept here; the manifest that is kept is the one that was offered,
   whatever the hook wrote.
4. A place that exists or is kept for somebody else turns an accepted entry into a refused one, always with the same
   code and sentence. Where the studio lets what exists be replaced, it is no hindrance.
5. Places are reserved in the transaction that stores the offer.
"""

from __future__ import annotations

import itertools
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import msgspec

from ..model import errors, manifest
from ..model.entities import HookRun, Offer, OfferEntry, Reservation, RunState, User, Volume
from ..model.hooks import HookName
from ..model.names import printable
from ..model.settings import Settings
from ..model.states import OfferFact, OfferState
from ..model.verdict import Kind, OnExists, Verdict
from ..wire.offers import OfferRequest
from ..wire.tree import Entry, count
from .hookinput import pre_publish_input
from .judge import BrokenAnswer, Judged, read_answer
from .needs import Clock, House, InTheWay, OfferBook, Programs, RunBook, RunOrder, Spot, Storage

_UUID4 = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")
_TAKEN = errors.DestinationTaken().message
_NO_REPLACE = "The studio's storage cannot do what the studio decided for this entry; ask the studio."
_UNDECIDED = Verdict(kind=Kind.REFUSED, code="no_verdict")
WAIT_SECONDS = 20
log = logging.getLogger("stagedoor.offer")
FAULTS_SENT = 200


class Offering:
    """Validates offers."""

    def __init__(
        self, house: House, offers: OfferBook, runs: RunBook, storage: Storage, programs: Programs, clock: Clock
    ) -> None:
        self._house = house
        self._offers = offers
        self._runs = runs
        self._storage = storage
        self._programs = programs
        self._clock = clock
        self._gate = Gate("The studio is checking many offers just now; try again in a minute.")

    def validate(self, user: User, request: OfferRequest, ip: str) -> Offer:
        """Run the check on an offer and keep what was decided. Raises StagedoorError; nothing is kept then."""
        settings = self._house.settings()
        self._check_limits(user, request, settings)
        _check_ids(request.files)
        drafts, trees = _read_entries(request.files, settings)
        offer = self._draft(user, request, ip, drafts, settings)
        for entry in request.files:
            entry.files = None  # kept as JSON in `trees`; 100,000 nodes are not needed while the hook runs
        judged, run = self._ask_hook(user, offer, trees, settings)
        volumes = {volume.id: volume for volume in self._house.volumes()}
        try:
            spots = self._inspect(judged, drafts, volumes)
        except BrokenAnswer as broken:
            raise self._broken(run, broken) from None
        judged = self._with_defaults(judged)
        offer = replace(offer, form=judged.form, run_id=run.id, entries=tuple(_decided(drafts, judged, spots)))
        _log_refused(offer)
        self._check_space(user, offer, spots)
        submittable = any(entry.verdict.kind is not Kind.REFUSED for entry in offer.entries)
        if request.check_only or not submittable:
            offer = replace(offer, state=OfferState.CHECKED)
        claims = [_claim(offer, entry, spots[entry.id]) for entry in offer.entries if entry.place]
        kept = self._offers.keep(offer, trees, claims, lambda entry: _taken(entry, "it is reserved, or being written"))
        if not (submittable or request.check_only):
            self._outdate(user, kept)
        return kept

    def _outdate(self, user: User, refused: Offer) -> None:
        """Supersede earlier offers of these entries: what the studio says now is that they are refused."""
        ids = [entry.id for entry in refused.entries]
        earlier = self._offers.newest_with(user.id, ids)
        while earlier is not None and earlier.state is OfferState.OPEN and earlier.id < refused.id:
            self._offers.close(earlier.id, OfferFact.SUPERSEDED, self._clock())
            earlier = self._offers.newest_with(user.id, ids)

    def _check_limits(self, user: User, request: OfferRequest, settings: Settings) -> None:
        if self._house.hook(HookName.PRE_PUBLISH) is None:
            raise errors.Conflict(
                "The studio has not set up publishing yet; ask the studio.", code="publishing_not_set_up"
            )
        entries, most = len(request.files), settings.number("offer_entries")
        if not entries:
            raise errors.BadRequest("The offer is empty: name at least one file or folder.", code="offer_empty")
        if entries > most:
            raise _limit(f"An offer takes at most {most} entries, this one has {entries}; make several offers.", most)
        files, most = count(request.files), settings.number("offer_files")
        if files > most:
            raise _limit(f"An offer takes at most {most} files, this one has {files}; make several offers.", most)
        if request.check_only:
            return
        self._offers.expire(self._clock())
        most = settings.number("open_offers")
        if self._offers.count_open(user.id, self._clock()) >= most:
            raise _limit(f"You have {most} open offers, and no more are taken; submit or withdraw one.", most)

    def _draft(self, user: User, request: OfferRequest, ip: str, drafts: list[OfferEntry], settings: Settings) -> Offer:
        now = self._clock()
        return Offer(
            id=self._offers.new_id(),
            user_id=user.id,
            state=OfferState.OPEN,
            created=now,
            expires=now + settings.number("offer_hours") * 3_600_000,
            hostname=request.hostname[:255],
            ip=ip,
            client=request.client[:255],
            size=sum(entry.size for entry in drafts),
            entries=tuple(drafts),
        )

    def _ask_hook(
        self, user: User, offer: Offer, trees: Mapping[str, bytes], settings: Settings
    ) -> tuple[Judged, HookRun]:
        hook = self._house.hook(HookName.PRE_PUBLISH)
        assert hook is not None
        with self._gate.enter(settings.number("pre_publish_at_once")):
            run = hook.begun(
                self._offers.new_id(),
                at=self._clock(),
                version=self._programs.version(hook.command),
                user_id=user.id,
                offer_id=offer.id,
            )
            self._runs.begin(run)
            outcome = self._programs.run(
                RunOrder(
                    run=run,
                    environment=hook.environment,
                    run_as=hook.run_as,
                    input=pre_publish_input(user=user, workspace=self._house.workspace(), offer=offer, trees=trees),
                    wants_output=True,
                    seconds=settings.number("pre_publish_seconds"),
                    answer_bytes=settings.number("hook_answer_bytes"),
                )
            )
        if outcome.state is not RunState.SUCCEEDED or outcome.output is None:
            raise check_failed(run, outcome.error)
        try:
            judged = read_answer(outcome.output, offer.entries, self._house.volumes())
        except BrokenAnswer as broken:
            raise self._broken(run, broken) from None
        if judged.remarks:
            self._runs.update(run.id, error="\n".join(judged.remarks))
        return judged, run

    def _broken(self, run: HookRun, broken: BrokenAnswer) -> errors.CheckFailed:
        detail = "\n".join(broken.faults)
        self._runs.update(run.id, state=RunState.FAILED, error=detail)
        return check_failed(run, detail)

    def _inspect(self, judged: Judged, drafts: list[OfferEntry], volumes: Mapping[str, Volume]) -> dict[str, Spot]:
        """What is known of every decided place that can be looked at. Raises BrokenAnswer for what can be none."""
        spots: dict[str, Spot] = {}
        faults: list[str] = []
        for draft in drafts:
            place = judged.entries[draft.id].place
            if place is None:
                continue
            try:
                spots[draft.id] = self._storage.inspect(volumes[place.volume_id], place.path)
            except InTheWay:
                continue  # taken: without a spot
            except ValueError as error:
                faults.append(f"{draft.filename}: {error}")
        names = {draft.id: draft.filename for draft in drafts}
        faults.extend(_clashes(spots, names))
        if faults:
            raise BrokenAnswer(faults)
        return spots

    def _with_defaults(self, judged: Judged) -> Judged:
        """With what volume and workspace say of things that exist, where the hook said nothing."""
        entries = {}
        for id, entry in judged.entries.items():
            if entry.place and entry.verdict.on_exists is None:
                on_exists = OnExists(self._house.settings_at(entry.place.volume_id).word("on_exists"))
                entry = replace(entry, verdict=replace(entry.verdict, on_exists=on_exists))
            entries[id] = entry
        return replace(judged, entries=entries)

    def _check_space(self, user: User, offer: Offer, spots: Mapping[str, Spot]) -> None:
        wanted: dict[int, int] = {}
        disks: dict[int, tuple[Spot, str]] = {}
        for entry in offer.entries:
            if entry.place:
                spot = spots[entry.id]
                disks.setdefault(spot.device, (spot, entry.place.volume_id))
                wanted[spot.device] = wanted.get(spot.device, 0) + entry.size
        for device, size in wanted.items():
            reserved = self._offers.reserved(device, without_offers_of=user.id)
            spot, volume_id = disks[device]
            check_space(spot, size + reserved, self._house.settings_at(volume_id))


def check_space(spot: Spot, needed: int, settings: Settings) -> None:
    """Raise NoSpace where `needed` bytes, and the share of the disk that is never filled, are not free."""
    kept = spot.total * settings.number("reserved_space") // 100
    if needed + kept > spot.free:
        raise errors.NoSpace(
            detail=f"{spot.absolute}: {needed} bytes are needed (what is reserved included) and {kept} are never "
            f"filled (setting reserved_space), but only {spot.free} of {spot.total} are free"
        )


class Gate:
    """Lets a bounded number in; the rest wait, but not for ever."""

    def __init__(self, busy: str) -> None:
        """`busy`: what those are told who waited in vain."""
        self._busy = busy
        self._changed = threading.Condition()
        self._inside = 0

    @contextmanager
    def enter(self, most: int) -> Iterator[None]:
        with self._changed:
            if not self._changed.wait_for(lambda: self._inside < most, WAIT_SECONDS):
                raise errors.Busy(self._busy)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify()


def _limit(message: str, most: int) -> errors.LimitExceeded:
    return errors.LimitExceeded(message, details={"limit": most})


def check_failed(run: HookRun, detail: str) -> errors.CheckFailed:
    """The refusal that is none: the run could not say yes or no."""
    sentence = errors.CheckFailed().message
    return errors.CheckFailed(f"{sentence} Reference: {run.id}", details={"reference": run.id}, detail=detail)


def _check_ids(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if not _UUID4.fullmatch(entry.id):
            raise errors.BadRequest(
                "The id of every entry must be a uuid4.", code="entry_id_wrong", details={"filename": entry.filename}
            )
        if entry.id in seen:
            raise errors.BadRequest(
                "Two entries have the same id; make a new uuid4 for each.",
                code="entry_id_twice",
                details={"id": entry.id},
            )
        seen.add(entry.id)


def _read_entries(entries: list[Entry], settings: Settings) -> tuple[list[OfferEntry], dict[str, bytes]]:
    """The entries without verdicts, and the JSON of their trees. Raises ManifestRefused with every fault."""
    drafts: list[OfferEntry] = []
    trees: dict[str, bytes] = {}
    faults: list[dict[str, str]] = []
    for number, entry in enumerate(entries):
        found, wrong = manifest.read(entry, windows_names=settings.flag("windows_names"))
        faults.extend({"id": entry.id, "path": fault.path, "reason": fault.reason} for fault in wrong)
        drafts.append(undecided(entry, number, found))
        trees[entry.id] = tree_json(entry)
    if faults:
        raise errors.ManifestRefused(_sentence(faults), details={"faults": faults[:FAULTS_SENT], "total": len(faults)})
    return drafts, trees


def undecided(entry: Entry, number: int, found: manifest.Manifest) -> OfferEntry:
    """An entry, as it was read, of which nothing has been decided yet."""
    return OfferEntry(
        id=entry.id,
        number=number,
        filename=entry.filename,
        is_dir=found.is_dir,
        size=found.size,
        file_count=len(found.files),
        modified=entry.modified,
        verdict=_UNDECIDED,
    )


def tree_json(entry: Entry) -> bytes:
    """The one JSON of an entry's `files`, after `manifest.read` has put it into its one spelling."""
    return msgspec.json.encode((entry.files or []) if entry.is_dir else None)


def _sentence(faults: list[dict[str, str]]) -> str:
    first = f"{faults[0]['path'] or 'a name'} {faults[0]['reason']}."
    if len(faults) == 1:
        return first
    return f"{len(faults)} names cannot be accepted. {first} The others are listed in the details."


def _clashes(spots: Mapping[str, Spot], names: Mapping[str, str]) -> Iterator[str]:
    """Entries of one offer whose places are the same, or lie within each other."""
    placed = sorted(spots.items(), key=lambda item: item[1].key + "/")
    for (one, upper), (other, lower) in itertools.pairwise(placed):
        if (lower.key + "/").startswith(upper.key + "/"):
            yield f"{names[one]} and {names[other]} would go to the same place, or one into the other"


def _decided(drafts: list[OfferEntry], judged: Judged, spots: Mapping[str, Spot]) -> Iterator[OfferEntry]:
    for draft in drafts:
        verdict = judged.entries[draft.id]
        entry = replace(draft, verdict=verdict.verdict, place=verdict.place, extras=verdict.extras)
        yield _on_the_spot(entry, spots.get(draft.id)) if entry.place else entry


def _on_the_spot(entry: OfferEntry, spot: Spot | None) -> OfferEntry:
    """An entry that may be uploaded, as the place allows it."""
    if spot is None:
        return _taken(entry, "a file stands where a folder must be")
    if entry.verdict.replaces and not spot.can_replace:
        reason = f"{spot.absolute}: on_exists is replace, and this file system cannot exchange two things at once"
        return _refused(entry, _NO_REPLACE, reason, code="replace_unsupported")
    reason = in_the_way(spot, entry.verdict)
    return _taken(entry, reason) if reason else entry


def in_the_way(spot: Spot, verdict: Verdict) -> str:
    """Why a place cannot be had as it is now, for the studio; empty where it can."""
    if not spot.exists or (verdict.replaces and spot.can_replace and not spot.must_stay):
        return ""
    if verdict.replaces:
        return f"{spot.absolute} exists and cannot be replaced: {spot.must_stay or 'its file system cannot'}"
    return f"{spot.absolute} exists"


def _log_refused(offer: Offer) -> None:
    for entry in offer.entries:
        if entry.verdict.detail:
            name = printable(entry.filename)
            log.warning("offer %s: %s refused (%s): %s", offer.id, name, entry.verdict.code, entry.verdict.detail)


def _taken(entry: OfferEntry, detail: str) -> OfferEntry:
    return _refused(entry, _TAKEN, detail, code=errors.DestinationTaken.code)


def _refused(entry: OfferEntry, warning: str, detail: str, *, code: str) -> OfferEntry:
    verdict = replace(entry.verdict, kind=Kind.REFUSED, code=code, warning=warning, detail=detail)
    return replace(entry, verdict=verdict, place=None)


def _claim(offer: Offer, entry: OfferEntry, spot: Spot) -> Reservation:
    return Reservation(
        key=spot.key,
        user_id=offer.user_id,
        offer_id=offer.id,
        entry_id=entry.id,
        size=entry.size,
        device=spot.device,
    )
