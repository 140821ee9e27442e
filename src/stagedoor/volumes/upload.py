"""One upload: begin parts, acknowledge them, flush, prove.

Rules
1. What is received is what the journal says; memory only repeats it.
2. No lock that a part needs is held while something is flushed or proved.
3. What is not known to be on the device is read again when the upload is opened in a new process; what does not match
   is missing again.
4. A proof that succeeded stands: it is kept, and nothing is received after it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from .. import bulk
from ..lifecycle.needs import Proof
from ..model.errors import BadRange
from ..model.manifest import Manifest
from ..model.tape import Range, Ranges
from ..wire.parts import RUNS
from . import flushing, proof
from .arrivals import Arrived
from .claims import Claims
from .following import Follower
from .history import Extent, History, flushed_record, lost_record, part_record
from .journal import Journal
from .part import HASHES, Part
from .staging import Staging, Tree

FLUSH_EVERY = 2**33
"""bytes; bounds what must be read again after an unclean end. Systems write by themselves meanwhile."""

log = logging.getLogger(__name__)


class StagedUpload:
    """Implements `Upload`."""

    def __init__(
        self,
        staging: Staging,
        durability: Callable[[], str],
        proof_from: Callable[[], str],
        readers: Executor,
        stop: Callable[[], bool],
        step: int,
        *,
        flush_every: int = FLUSH_EVERY,
    ) -> None:
        """Read what is staged. What arrives later is read in steps by `readers`, until `stop` says so. Raises
        FileNotFoundError."""
        self.staging = staging
        self.tree = Tree(staging.data, staging.manifest())
        self.claims = Claims()
        self.placing = threading.Lock()
        self._durability = durability
        self._proof_from = proof_from
        self._flush_every = flush_every
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._prove_lock = threading.Lock()
        self._flushing = False
        self._journal = Journal(staging.journal)
        self.history = History(self._journal.read())
        self._arrived: dict[int, Arrived] = {}
        """by the start of its extent, what was read back; perhaps of an extent that has been replaced"""
        self._follower = Follower(
            self.tree, self._run, self.arrived, self.flush, self._from_device, readers, stop, step
        )
        self._proof = staging.proof()
        if self._proof is None:
            self._read_again()

    @property
    def folder(self) -> Path:
        return self.staging.folder

    @property
    def manifest(self) -> Manifest:
        return self.tree.manifest

    @property
    def size(self) -> int:
        return self.tree.tape.size

    @property
    def received(self) -> int:
        return self.size if self._proof else self.history.extents.ranges.size

    @property
    def complete(self) -> bool:
        return self.received == self.size

    @property
    def followed(self) -> int:
        """Bytes that have been read while others were still to come."""
        return self._follower.reached

    @property
    def proved(self) -> bool:
        return self._proof is not None

    def missing(self) -> Ranges:
        return self._missing(0, self.size)

    def begin(self, part: Range, algorithm: str, digest: bytes) -> Part:
        """Raises BadRange, RangeInFlight."""
        if not 0 <= part.start < part.end <= self.size:
            raise BadRange(
                f"The part does not lie within the {self.size} bytes of this upload.", details={"size": self.size}
            )
        if algorithm not in HASHES:
            raise BadRange(f"The digest must be one of: {', '.join(HASHES)}.")
        claim = self.claims.take(Range(*part))
        missing = self._missing(*part)  # only now: nobody else can change these any more
        back = algorithm == RUNS and bulk.able() and not self._from_device()
        return Part(self.tree, self.claims, claim, missing, (algorithm, digest), self._acknowledge, back=back)

    def take_in(self, extents: list[Extent]) -> None:
        """Note bytes as received that were copied here, under a claim. Raises OSError; nothing counts then."""
        self._acknowledge(Range(extents[0].start, extents[-1].end), extents)

    def arrived(self, extent: Extent) -> Arrived | None:
        """What is known of an extent's files, where they were read back as they arrived."""
        found = self._arrived.get(extent.start)
        return found if found and found.extent == extent else None

    def _missing(self, start: int, end: int) -> Ranges:
        return Ranges() if self._proof else self.history.extents.ranges.missing(start, end)

    def flush(self) -> None:
        """Bring to the device what is not known to be there. Raises OSError."""
        with self._flush_lock:
            with self._lock:
                claims = list(self.history.claims)
                extents = self.history.unflushed
            if not claims:
                return
            flushing.flush(self.tree, extents)
            self.note(flushed_record(claims[-1][0] + 1), sync=True)

    def prove(self, stop: Callable[[], bool]) -> Proof:
        with self._prove_lock:
            if self._proof:
                return self._proof
            missing = self.missing()
            if missing:
                return Proof(lost=missing)
            followed = self._follower.end()
            proof.tidy(self.tree)
            device = self._from_device()
            if device:
                self.flush()
            outcome = proof.read(self.tree, self.history.extents, self.arrived, stop, device=device, followed=followed)
            if outcome.lost:
                log.error("%s: the proof found damage in %s", self.folder, outcome.lost)
                self.note(lost_record(outcome.lost), sync=True)
                return outcome
            self.staging.keep_proof(outcome)
            self._proof = outcome
            self._arrived.clear()
            return outcome

    def note(self, value: dict[str, Any], *, sync: bool = False) -> None:
        """Append a record to the journal and take it in. Raises OSError; nothing has changed then."""
        with self._lock:
            self.history.apply(value, self._journal.append(value))
        if sync:
            self._journal.sync()

    def _acknowledge(self, part: Range, extents: list[Extent], arrived: Sequence[Arrived] = ()) -> None:
        self._arrived.update((one.extent.start, one) for one in arrived)
        flush = self._durability() == "flush"
        if flush and extents:
            flushing.flush(self.tree, extents)
        if extents:
            self.note(part_record(part, extents, flush), sync=flush)
        with self._lock:
            due = self.history.claimed >= self._flush_every and not self._flushing
            self._flushing = self._flushing or due
        if due:
            threading.Thread(target=self._flush_aside, name="stagedoor-flush", daemon=True).start()
        self._follower.arrived(self.received)

    def _run(self, start: int, most: int) -> list[Extent]:
        with self._lock:
            return self.history.extents.run(start, most)

    def _from_device(self) -> bool:
        return self._proof_from() == "device"

    def _flush_aside(self) -> None:
        try:
            self.flush()
        except OSError as error:
            log.warning("%s cannot be flushed for now: %s", self.folder, error)
        finally:
            self._flushing = False

    def _read_again(self) -> None:
        damaged = [extent for extent in self.history.unflushed if not proof.intact(self.tree, extent)]
        if damaged:
            lost = Ranges((extent.start, extent.end) for extent in damaged)
            log.warning("%s: not on the device after an unclean end: %s", self.folder, lost)
            self.note(lost_record(lost))
