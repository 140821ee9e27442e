"""What the studio has already is named, not sent.

Rules
1. Only files that the server takes for alike are read here; their hashes are named in batches, while others are read.
2. A file must be what was validated before and after it is read: the same check as for what is sent.
3. Nothing here ever ends a publish but a source that changed: what cannot be re-used is sent.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import msgspec
from blake3 import blake3

from ..model import errors
from ..wire import calls
from ..wire.reuse import Identities, ReuseAnswer, ReuseRequest, ReuseView, numbers_of, ranges_of
from .connection import Connection
from .errors import SourceChanged
from .source import FLAGS, Source, changed

BATCH_FILES = 5000
BATCH_BYTES = 256 * 2**20
ASKING = 2
READ_AHEAD = 256
CHUNK = 2**20

T = TypeVar("T")


class Identity(NamedTuple):
    """What a file is: together with its size, which the manifest has."""

    task: str
    file: int
    size: int
    blake3: bytes


class Reuse:
    """Once for a job. `patiently` repeats a question while the server is away for a moment."""

    def __init__(
        self,
        connection: Connection,
        job_id: str,
        sources: Mapping[str, Source],
        *,
        patiently: Callable[[Callable[[], ReuseAnswer]], ReuseAnswer],
        stop: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._names = {"id": job_id}
        self._sources = sources
        self._patiently = patiently
        self._stop = stop
        self.asked = False
        """whether anything was named: then the server knows better than before what is missing"""
        self.bytes = 0
        """arrived without being sent"""

    def run(self, ask: Callable[[], ReuseView], tell: Callable[[int], None]) -> None:
        """Have the server take what it has; `ask` finds out what that may be. `tell(bytes)` says how many arrived so.

        Raises SourceChanged.
        """
        try:
            view = ask()
            candidates = [(part.task, file) for part in view.tasks for file in numbers_of(part.files)]
            if candidates:
                self._name(candidates, min(BATCH_FILES, view.most), tell)
        except SourceChanged:
            raise
        except (errors.StagedoorError, IndexError, KeyError):
            return  # then it is sent

    def _name(self, candidates: list[tuple[str, int]], most: int, tell: Callable[[int], None]) -> None:
        readers = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "stagedoor-hash")
        asking = ThreadPoolExecutor(ASKING, "stagedoor-reuse")
        waiting: deque[Future[int]] = deque()
        try:
            for batch in _batches(_ahead(readers, self._identity, candidates), most):
                if self._stop():
                    return
                self.asked = True
                waiting.append(asking.submit(self._ask, batch))
                while len(waiting) > ASKING:
                    self._count(waiting.popleft(), tell)
            while waiting and not self._stop():
                self._count(waiting.popleft(), tell)
        finally:
            readers.shutdown(wait=False, cancel_futures=True)
            asking.shutdown(wait=False, cancel_futures=True)

    def _count(self, asked: Future[int], tell: Callable[[int], None]) -> None:
        self.bytes += asked.result()
        tell(self.bytes)

    def _identity(self, candidate: tuple[str, int]) -> Identity:
        task, file = candidate
        source = self._sources[task]
        return Identity(task, file, source.files[file].size, digest_of(source, file))

    def _ask(self, batch: list[Identity]) -> int:
        """Bytes of the batch that have arrived then."""
        sizes = {(one.task, one.file): one.size for one in batch}
        arrived = 0
        while batch and not self._stop():
            answer = self._patiently(lambda batch=batch: self._post(batch))  # type: ignore[misc]
            arrived += sum(sizes[part.task, file] for part in answer.received for file in numbers_of(part.files))
            left = {(part.task, file) for part in answer.left for file in numbers_of(part.files)}
            batch = [one for one in batch if (one.task, one.file) in left]
        return arrived

    def _post(self, batch: list[Identity]) -> ReuseAnswer:
        by_task: dict[str, list[Identity]] = {}
        for one in sorted(batch):
            by_task.setdefault(one.task, []).append(one)
        named = [
            Identities(task=task, files=ranges_of(one.file for one in its), blake3=b"".join(one.blake3 for one in its))
            for task, its in by_task.items()
        ]
        said = self._connection.call(calls.REUSE, self._names, body=ReuseRequest(tasks=named))
        return msgspec.convert(said, ReuseAnswer)


def digest_of(source: Source, index: int) -> bytes:
    """The blake3 of a file that is what was validated. Raises SourceChanged."""
    local = source.locals[index]
    digest = blake3()
    size = 0
    try:
        with open(os.open(local.path, FLAGS), "rb", buffering=0) as file:
            buffer = memoryview(bytearray(min(CHUNK, max(local.size, 1))))
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
                size += count
            status = os.fstat(file.fileno())
    except OSError as error:
        reason = "is gone" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror or error}"
        raise changed([(source.shown(index), reason)]) from error
    if (size, status.st_size, status.st_mtime_ns) != (local.size, local.size, local.mtime_ns):
        raise changed([(source.shown(index), "was modified while it was read")])
    return digest.digest()


def _ahead(pool: ThreadPoolExecutor, work: Callable[[T], Identity], items: Iterable[T]) -> Iterator[Identity]:
    """Results in order, some being made ahead."""
    waiting: deque[Future[Identity]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= READ_AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _batches(identities: Iterable[Identity], most: int) -> Iterator[list[Identity]]:
    batch: list[Identity] = []
    size = 0
    for one in identities:
        batch.append(one)
        size += one.size
        if len(batch) >= most or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
