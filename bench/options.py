"""What can be asked for."""

from __future__ import annotations

import argparse
from pathlib import Path

from .contestant import BENCH, Contestant
from .house import Flushed, Stagedoor, Tls, Whole, WholeFlushed
from .loads import LOADS, USUAL
from .peers.copying import Copy
from .peers.drive import Rclone
from .peers.ftp import Ftp
from .peers.mirror import Rsync, RsyncSsh
from .peers.party import Copyparty
from .peers.tus import TusJs, Tuspy
from .peers.web import Nginx, NginxTls

OURS: tuple[type[Contestant], ...] = (Stagedoor, Flushed, Tls, Whole, WholeFlushed)
PEERS: tuple[type[Contestant], ...] = (Copy, Nginx, NginxTls, Rsync, RsyncSsh, Copyparty, TusJs, Tuspy, Rclone, Ftp)
WAN_PEERS = ("nginx", "rsync", "copyparty", "tus-js")
PARTS = ("loads", "offer", "crowd", "page", "lists", "wan", "republish")
NEED_A_LINE = ("wan", "republish")
SMOKE_SCALE = 0.002


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Stagedoor beside its peers.")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--loads", nargs="+", choices=list(LOADS), default=list(USUAL), metavar="LOAD", help=", ".join(LOADS)
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=_names(PEERS),
        default=_names(PEERS),
        metavar="PEER",
        help=", ".join(_names(PEERS)),
    )
    parser.add_argument(
        "--ours", nargs="*", choices=_names(OURS), default=_names(OURS), metavar="WAY", help=", ".join(_names(OURS))
    )
    parser.add_argument("--runs", type=_positive, default=3, help="of each contestant with each load (%(default)s)")
    parser.add_argument("--scale", type=_share, default=1.0, help="share of every load, such as 0.1")
    parser.add_argument("--no-wan", action="store_true", help="leave out what needs network namespaces")
    parser.add_argument("--wan-runs", type=_positive, default=2, help="of each over each line (%(default)s)")
    parser.add_argument("--wan-limit", type=float, default=60.0, help="seconds that a run there may take (%(default)s)")
    parser.add_argument("--no-bbr", action="store_true", help="leave out the lines with BBR")
    parser.add_argument("--smoke", action="store_true", help=f"whether it all works: one run, scale {SMOKE_SCALE}")
    parser.add_argument(
        "--work", type=Path, default=BENCH / "work", help="folder for loads and files; it decides about the disk"
    )
    parser.add_argument(
        "--results", type=Path, default=BENCH / "results.json", help="where numbers are kept (%(default)s)"
    )
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help="put the numbers that are kept into docs/performance.md, measure nothing",
    )
    options = parser.parse_args(words)
    if options.smoke:
        options.runs, options.wan_runs, options.scale = 1, 1, min(options.scale, SMOKE_SCALE)
    if options.no_wan:
        options.only = [part for part in options.only if part not in NEED_A_LINE]
    return options


def chosen(kinds: tuple[type[Contestant], ...], names: list[str]) -> list[type[Contestant]]:
    return [kind for kind in kinds if kind.name in names]


def _names(kinds: tuple[type[Contestant], ...]) -> list[str]:
    return [kind.name for kind in kinds]


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _share(text: str) -> float:
    if not 0 < float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return float(text)
