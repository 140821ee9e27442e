"""Two network namespaces joined by the emulated line.

The namespaces are held by two processes and go with them: nothing stays behind, however the bench ends. Both sides use
the congestion control they are given, and remember nothing of earlier connections.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..contestant import BENCH, program
from ..place import Place
from ..processes import Unusable, end_group

SOURCE = Path(__file__).with_name("line.c")
CLIENT_ADDRESS, SERVER_ADDRESS = "10.99.0.1", "10.99.0.2"
MBIT = 1_000_000
RATE_MBIT = 1000
QUEUE_BYTES = 12_500_000
"""100 ms at 1 Gbit/s"""


@dataclass(frozen=True)
class Weather:
    """What a line does: the time there and back, and how much gets lost in each direction."""

    rtt_ms: float
    loss_percent: float
    congestion: str = "cubic"

    @property
    def name(self) -> str:
        told = f"{self.rtt_ms:g} ms {self.loss_percent:g} %"
        return told if self.congestion == "cubic" else f"{told} {self.congestion.upper()}"


@contextmanager
def line(weather: Weather, log: Path) -> Iterator[Place]:
    """Raises Unusable where namespaces, tun devices or the congestion control are not to be had."""
    emulator = _built()
    with ExitStack() as stack:
        client, server = (_namespace(stack) for _ in range(2))
        _start(stack, [str(emulator), *_words(client, server, weather)], log)
        for holder, address in ((client, CLIENT_ADDRESS), (server, SERVER_ADDRESS)):
            _set_up(holder, address, weather.congestion)
        yield Place(SERVER_ADDRESS, server=server, client=client, congestion=weather.congestion)


def possible() -> str:
    """Why no line can be made here; empty where one can."""
    try:
        with line(Weather(1, 0), BENCH / "line.log"):
            return ""
    except Unusable as error:
        return str(error)


def bytes_sent(place: Place) -> int:
    """What the client has put on the wire so far, by the kernel's counter of its device."""
    for text in Path(f"/proc/{place.client}/net/dev").read_text().splitlines():
        name, _, numbers = text.partition(":")
        if name.strip() == "wan0":
            return int(numbers.split()[8])
    raise Unusable("the line has gone")


def _built() -> Path:
    BENCH.mkdir(exist_ok=True)
    built = BENCH / "line"
    if not built.exists() or built.stat().st_mtime < SOURCE.stat().st_mtime:
        command = [program("gcc"), "-O2", "-pthread", "-o", str(built), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unusable(f"the emulator cannot be built: {done.stderr}")
    return built


def _namespace(stack: ExitStack) -> int:
    """A process that does nothing in a namespace of its own."""
    command = [program("unshare"), "--net", "--", "sh", "-c", "echo ready && exec sleep infinity"]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    stack.callback(end_group, holder)
    assert holder.stdout and holder.stderr
    if not holder.stdout.readline():
        raise Unusable(f"no network namespace can be made: {holder.stderr.read().decode().strip()}")
    return holder.pid


def _start(stack: ExitStack, command: list[str], log: Path) -> None:
    with log.open("ab") as told:
        emulator = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, start_new_session=True)
    stack.callback(end_group, emulator)
    assert emulator.stdout
    if not emulator.stdout.readline():
        raise Unusable(f"the emulated line does not work here: {log.read_text()[-500:].strip()}")


def _words(client: int, server: int, weather: Weather) -> list[str]:
    delay, loss = weather.rtt_ms * 500, weather.loss_percent * 10_000
    return [str(round(word)) for word in (client, server, delay, loss, RATE_MBIT * MBIT, QUEUE_BYTES, 1)]


def _set_up(holder: int, address: str, congestion: str) -> None:
    network = address.rpartition(".")[0] + ".0/24"
    commands = (
        f"ip link set lo up && ip address add {address}/24 dev wan0 && ip link set wan0 mtu 1500 up txqueuelen 1000",
        f"ip route replace {network} dev wan0 src {address} congctl {congestion}",
        "echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save",
    )
    inside = ["nsenter", f"--net=/proc/{holder}/ns/net", "--", "sh", "-ec", "\n".join(commands)]
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unusable(f"the line cannot be set up with {congestion}: {done.stderr.strip()}")
