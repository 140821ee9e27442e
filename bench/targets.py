"""What is aimed at, as ratios within one run of the bench, so that it holds on other machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .figures import Numbers, spread

HTTP = ("nginx", "copyparty", "tus-js", "tuspy", "rclone")
ENCRYPTED_MB_PER_CORE = 100
"""of encrypted transfer, as a product of this trade documents it"""


@dataclass(frozen=True)
class Target:
    """`measured` finds the spread of a ratio in the results; None where it was not measured.

    `at_most`: less is better. `then` is where it should come to after `must`; 0: nothing more is aimed at.
    """

    what: str
    against: str
    must: float
    then: float
    measured: Callable[[Numbers], Numbers | None]
    at_most: bool = False

    def reached(self, results: Numbers) -> str:
        found = self.measured(results)
        if found is None:
            return "not measured"
        for name, limit in (("and then", self.then), ("must", self.must)):
            if limit and (found["median"] <= limit if self.at_most else found["median"] >= limit):
                return name
        return "no"


def _beside(peers: Sequence[str], *where: str, ours: str = "stagedoor") -> Callable[[Numbers], Numbers | None]:
    """The ratio to the best of those peers that took part."""

    def measured(results: Numbers) -> Numbers | None:
        found = _at(results, *where, "ratios", ours)
        ratios = [found[peer] for peer in peers if peer in found] if found else []
        return min(ratios, key=lambda ratio: float(ratio["median"])) if ratios else None

    return measured


def _every_peer(*where: str, ours: str = "stagedoor") -> Callable[[Numbers], Numbers | None]:
    def measured(results: Numbers) -> Numbers | None:
        found = _at(results, *where, "ratios", ours) or {}
        return _beside([peer for peer in found if not peer.startswith("stagedoor")], *where, ours=ours)(results)

    return measured


def _worst(*several: Callable[[Numbers], Numbers | None]) -> Callable[[Numbers], Numbers | None]:
    """Of several loads that one target is about."""

    def measured(results: Numbers) -> Numbers | None:
        found = [ratio for one in several if (ratio := one(results))]
        return min(found, key=lambda ratio: float(ratio["median"])) if len(found) == len(several) else None

    return measured


def _per_core(load: str) -> Callable[[Numbers], Numbers | None]:
    def measured(results: Numbers) -> Numbers | None:
        cpu = _at(results, "loads", load, "contestants", "stagedoor-tls", "cpu_seconds_per_gb")
        return spread([1000 / (cpu["client"] + cpu["server"]) / ENCRYPTED_MB_PER_CORE]) if cpu else None

    return measured


def _bbr(weather: str) -> Callable[[Numbers], Numbers | None]:
    """Our speed with BBR over that of copyparty as it comes; from different runs, so of medians alone."""

    def measured(results: Numbers) -> Numbers | None:
        ours = _at(results, "wan", f"{weather} BBR", "ONE", "contestants", "stagedoor", "mb_per_second")
        theirs = _at(results, "wan", weather, "ONE", "contestants", "copyparty", "mb_per_second")
        return spread([ours["median"] / theirs["median"]]) if ours and theirs and theirs["median"] else None

    return measured


def _whole(results: Numbers) -> Numbers | None:
    """How many times as long; which is how many times as fast the upload alone is."""
    return _at(results, "loads", "SEQ", "ratios", "stagedoor", "stagedoor-publish")


def _found(*where: str) -> Callable[[Numbers], Numbers | None]:
    return lambda results: _at(results, *where)


def _status(results: Numbers) -> Numbers | None:
    found = _at(results, "crowd", "latency", "full", "status_ms")
    return spread([found["p99"]]) if found else None


def _at(results: Numbers, *where: str) -> Numbers | None:
    found: Numbers | None = results
    for key in where:
        found = (found or {}).get(key)
    return found


_TLS = {"ours": "stagedoor-tls"}
_MILD, _BAD = "100 ms 0.1 %", "100 ms 1 %"

TARGETS = (
    Target("BIG", "nginx and curl", 0.7, 1.2, _beside(["nginx"], "loads", "BIG")),
    Target("BIG", "copyparty", 3, 5, _beside(["copyparty"], "loads", "BIG")),
    Target("SEQ", "nginx and curl", 0.9, 1.3, _beside(["nginx"], "loads", "SEQ")),
    Target("SEQ", "copyparty", 3, 5, _beside(["copyparty"], "loads", "SEQ")),
    Target("SMALL", "rsync daemon", 1.1, 1.5, _beside(["rsync"], "loads", "SMALL")),
    Target("SMALL", "best that speaks HTTP", 1.3, 2, _beside(HTTP, "loads", "SMALL")),
    Target("SEQ, TLS", "rsync through ssh", 1.8, 3, _beside(["rsync-ssh"], "loads", "SEQ", **_TLS)),
    Target("SMALL, TLS", "rsync through ssh", 1.8, 3, _beside(["rsync-ssh"], "loads", "SMALL", **_TLS)),
    Target("SEQ, TLS", "nginx and curl, TLS", 1, 0, _beside(["nginx-tls"], "loads", "SEQ", **_TLS)),
    Target("SMALL, TLS", "nginx and curl, TLS", 1, 0, _beside(["nginx-tls"], "loads", "SMALL", **_TLS)),
    Target("BIG and SEQ, TLS, per core", "100 MB/s", 3, 5, _worst(_per_core("BIG"), _per_core("SEQ"))),
    Target("512 MiB, 40 ms 0 %", "best peer", 1.3, 0, _every_peer("wan", "40 ms 0 %", "ONE")),
    Target(f"512 MiB, {_MILD}", "copyparty", 2, 6, _beside(["copyparty"], "wan", _MILD, "ONE")),
    Target(f"512 MiB, {_BAD}", "copyparty", 6, 12, _beside(["copyparty"], "wan", _BAD, "ONE")),
    Target(f"512 MiB, {_MILD}, BBR", "copyparty without", 4, 0, _bbr(_MILD)),
    Target(f"512 MiB, {_BAD}, BBR", "copyparty without", 20, 0, _bbr(_BAD)),
    Target(f"200 x 2 MiB, {_MILD}", "best peer", 3, 8, _every_peer("wan", _MILD, "FRAMES")),
    Target(f"200 x 2 MiB, {_BAD}", "best peer", 6, 12, _every_peer("wan", _BAD, "FRAMES")),
    Target(f"2000 x 16 KiB, {_MILD}", "rsync daemon", 8, 12, _beside(["rsync"], "wan", _MILD, "CRUMBS")),
    Target(f"2000 x 16 KiB, {_BAD}", "tus-js-client", 15, 30, _beside(["tus-js"], "wan", _BAD, "CRUMBS")),
    Target("re-publish, 100 ms 0.1 %", "best peer", 5, 8, _every_peer("republish", ours="stagedoor-publish")),
    Target(
        "re-publish, bytes on the wire", "all", 0.12, 0, _found("republish", "wire_share", "stagedoor-publish"), True
    ),
    Target("whole publish, SEQ", "upload alone", 1.3, 1.1, _whole, True),
    Target("status, 99th percentile, ms", "a full line", 250, 0, _status, True),
)
