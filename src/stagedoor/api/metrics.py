"""`/metrics`: what the server does and how it fares, in Prometheus' text format.

Rules
1. Asked with an administrator's key. Where the setting `metrics` is `loopback`, also without any from this machine
   itself, as long as no proxy has passed the request on.
2. What happens is counted where it happens (`lifecycle.tally`); what stands in the database is counted when asked for.
3. One writer for the few lines of this format costs less than a library with a registry of its own (ADR 10).
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from litestar import Response, get

from ..lifecycle.manage import Management
from ..lifecycle.tally import BUCKETS, FAMILIES, Durations, Tally
from ..model.states import JobState
from ..wire import calls
from .asking import Asked, admin, services
from .threads import quick

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STARTED = time.time()


class Upcoming(Protocol):
    @property
    def size(self) -> int: ...
    @property
    def received(self) -> int: ...


class Census(Protocol):
    """What is counted in the database."""

    def jobs_by_state(self) -> Mapping[JobState, int]: ...
    def jobs_by_queue(self) -> Mapping[str, int]: ...
    def upcoming(self) -> Upcoming: ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a value under a name with labels."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels)
        value = int(self.value) if self.value == int(self.value) else self.value
        return f"{self.name}{{{inner}}} {value!r}" if inner else f"{self.name} {value!r}"


@get(calls.METRICS.path, media_type="text/plain")
async def metrics(request: Asked) -> Response[str]:
    """What the server does and how it fares, in Prometheus' text format."""
    if request.scope["state"].get("known") is not None:
        admin(request)
    return Response(await quick(written, request), headers={"content-type": CONTENT_TYPE})


def written(request: Asked) -> str:
    """The whole page."""
    found = services(request)
    return "\n".join(
        [
            *_tallied(found.tally),
            *_jobs(found.census),
            *_volumes(found.manage, found.room),
            *_family("stagedoor_parts_open", "gauge", "Parts on their way", [_plain(found.receiving.open_parts)]),
            *_process(),
            "",
        ]
    )


def _tallied(tally: Tally) -> Iterator[str]:
    counts, durations = tally.counts(), tally.durations()
    for name, family in FAMILIES.items():
        if family.durations:
            lines = [
                line
                for (one, labels), found in sorted(durations.items(), key=lambda item: item[0])
                if one == name
                for line in _histogram(name, tuple(zip(family.labels, labels, strict=True)), found)
            ]
            yield from _family(name, "histogram", family.help, lines)
        else:
            samples = [
                Sample("", value, tuple(zip(family.labels, labels, strict=True)))
                for (one, labels), value in sorted(counts.items())
                if one == name
            ]
            yield from _family(name, "counter", family.help, samples or ([] if family.labels else [_plain(0)]))


def _histogram(name: str, labels: tuple[tuple[str, str], ...], found: Durations) -> Iterator[Sample]:
    total = 0
    for bound, count in zip([*map(str, BUCKETS), "+Inf"], found.counts, strict=True):
        total += count
        yield Sample(f"{name}_bucket", total, (*labels, ("le", bound)))
    yield Sample(f"{name}_sum", found.sum, labels)
    yield Sample(f"{name}_count", total, labels)


def _jobs(census: Census) -> Iterator[str]:
    states = census.jobs_by_state()
    samples = [Sample("", states.get(state, 0), (("state", state.value),)) for state in JobState]
    yield from _family("stagedoor_jobs", "gauge", "Jobs by state", samples)
    queues = [Sample("", count, (("queue", queue),)) for queue, count in sorted(census.jobs_by_queue().items())]
    yield from _family("stagedoor_queue_jobs", "gauge", "Jobs whose steps run or wait for their turn", queues)
    upcoming = census.upcoming()
    yield from _family(
        "stagedoor_unfinished_bytes", "gauge", "Bytes that unfinished jobs announced", [_plain(upcoming.size)]
    )
    yield from _family(
        "stagedoor_unfinished_bytes_received", "gauge", "Bytes of them that are there", [_plain(upcoming.received)]
    )


def _volumes(manage: Management, room: object) -> Iterator[str]:
    free, size, there = [], [], []
    for volume in manage.volumes():
        if not volume.enabled:
            continue
        found = room(volume.root) if callable(room) else None
        labels = (("volume", volume.code),)
        there.append(Sample("", 1 if found else 0, labels))
        if found:
            free.append(Sample("", found[0], labels))
            size.append(Sample("", found[1], labels))
    yield from _family("stagedoor_volume_up", "gauge", "Whether the volume's folder is there", there)
    yield from _family("stagedoor_volume_free_bytes", "gauge", "Free bytes of the volume's disk", free)
    yield from _family("stagedoor_volume_size_bytes", "gauge", "Size of the volume's disk", size)


def _process() -> Iterator[str]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime
    yield from _family("process_cpu_seconds_total", "counter", "CPU time of the server", [_plain(round(seconds, 3))])
    yield from _family("process_start_time_seconds", "gauge", "When the server started", [_plain(round(_STARTED, 3))])
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        files = len(os.listdir("/proc/self/fd"))
    except OSError:
        return  # not Linux
    resident = pages * os.sysconf("SC_PAGE_SIZE")
    yield from _family("process_resident_memory_bytes", "gauge", "Memory of the server", [_plain(resident)])
    yield from _family("process_open_fds", "gauge", "Open files and connections", [_plain(files)])


def _plain(value: float) -> Sample:
    return Sample("", value)


def _family(name: str, kind: str, words: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for sample in samples:
        yield str(sample if sample.name else Sample(name, sample.value, sample.labels))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


HANDLERS = [metrics]
