"""Reading an upload while it arrives, so that little is left to be read when its last byte has come.

Rules
1. A follower reads what was received without a gap from the beginning on, at a distance, in the threads of a pool that
   all uploads share. From the device: what it reads is flushed before.
2. What it found counts for the proof only as long as nobody has changed the files since. A large file that is still
   arriving changes all the time: of what was read of it this cannot be told.
3. Damage, a disk that cannot be read or flushed, a proof that is to read from elsewhere: it gives up, and the proof
   reads everything. A new process begins anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

from ..model.tape import Range
from .arrivals import Arrived, unchanged
from .history import Extent
from .reading import Reader
from .staging import Tree

STEP = 2**26
"""bytes that are waited for before they are read"""
RUN = 2**27
"""bytes that are read at a time, at most: other uploads want their turn, and a proof does not wait long"""

log = logging.getLogger(__name__)


class Follower:
    """`run` gives what was received from a place on, `arrived` what was read back already, `flush` brings bytes to the
    device, `device` says whether the proof is to read from there, `stop` whether the server ends."""

    def __init__(
        self,
        tree: Tree,
        run: Callable[[int, int], list[Extent]],
        arrived: Callable[[Extent], Arrived | None],
        flush: Callable[[], None],
        device: Callable[[], bool],
        pool: Executor,
        stop: Callable[[], bool],
        step: int,
    ) -> None:
        self._tree = tree
        self._run = run
        self._arrived = arrived
        self._flush = flush
        self._device = device
        self._pool = pool
        self._stop = stop
        self._step = step
        self._changed = threading.Condition()
        self._due = False
        """whether it is the pool's to read on"""
        self._more = False
        """whether anything arrived since it last began to"""
        self._reading = False
        self._over = tree.tape.size < step
        self._reader: Reader | None = None
        self.reached = 0
        """how far on the tape"""

    def arrived(self, received: int) -> None:
        """Called when bytes were received; how many there are now."""
        if self._over or received - self.reached < self._step:
            return
        with self._changed:
            self._more = True
            due, self._due = self._due, True
        if not due:
            self._ask()

    def end(self) -> Reader | None:
        """Read no more; what has read the beginning of the tape, if anything has and it still holds."""
        with self._changed:
            self._over = True
            self._changed.wait_for(lambda: not self._reading)
            reader, self._reader = self._reader, None
        if not reader or reader.device != self._device():
            return None
        files = [index for index in range(reader.next) if self._tree.manifest.files[index].size]
        if unchanged(self._tree, files, [reader.changed[index] for index in files]):
            return reader
        log.warning("%s was changed by others while it lay in staging", self._tree.data)
        return None

    def _ask(self) -> None:
        with suppress(RuntimeError):  # the server ends
            self._pool.submit(self._follow)

    def _follow(self) -> None:
        """Read once, and go to the end of the pool's queue where there is more."""
        with self._changed:
            if self._over or self._stop():
                return
            self._reading, self._more = True, False
        got_on = False
        try:
            got_on = self._got_on()
        except OSError as error:
            log.warning("%s is read when all has arrived: %s", self._tree.data, error)
            self._over, self._reader = True, None
        except Exception:
            log.exception("%s is read when all has arrived", self._tree.data)
            self._over, self._reader = True, None
        with self._changed:
            self._reading = False
            self._due = due = got_on or self._more
            self._changed.notify_all()
        if due:
            self._ask()

    def _got_on(self) -> bool:
        """Read what may be read next; false where that is little, or ends within a file that is read as a whole."""
        extents = self._run(self.reached, RUN)
        if not extents or extents[-1].end - self.reached < self._step:
            return False
        if self._reader is None:
            files = Range(0, len(self._tree.manifest.files))
            self._reader = Reader(self._tree, files, self._arrived, self._stop, device=self._device())
        if self._reader.device:
            self._flush()
        before = self.reached
        self._reader.read(extents, extents[-1].end)
        self.reached = self._reader.reached
        if self._reader.lost:
            raise InterruptedError(f"damage in {self._reader.lost}")
        return self.reached > before
