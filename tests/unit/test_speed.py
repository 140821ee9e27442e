"""How fast an upload goes: limits, and how many connections it takes."""

from __future__ import annotations

import socket
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor import Limit
from stagedoor.client import growth
from stagedoor.client.growth import ENOUGH, MOST, Growth
from stagedoor.client.pipe import Pipe
from stagedoor.client.route import route_to
from stagedoor.model.pace import BURST_SECONDS, UNUSED_SECONDS, Pace


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 5)), min_size=1, max_size=50), st.integers(1000, 10**7))
def test_never_more_goes_than_the_limit_allows(steps, rate):
    pace, now, sent = Pace(), 100.0, 0
    for size, later in steps:
        now += later
        now += pace.delay(size, rate, now)
        assert sent <= (now - 100 + BURST_SECONDS) * rate * 1.001 + 1
        sent += size


def test_several_connections_share_a_limit():
    pace = Pace()
    assert [pace.delay(1000, 1000, 5.0) for _ in range(4)] == pytest.approx([0, 0.75, 1.75, 2.75])


def test_a_limit_that_is_raised_takes_effect_at_once_and_none_is_none():
    pace = Pace()
    pace.delay(10_000, 1000, 0.0)
    assert pace.delay(1, 1000, 0.0) == pytest.approx(9.75)
    assert pace.delay(1, 100_000, 0.0) == 0
    assert pace.delay(10**9, 0, 0.0) == 0
    assert pace.delay(1, 1000, 0.0) == 0


def test_a_limit_is_no_negative_number():
    with pytest.raises(ValueError, match="bytes per second"):
        Limit(-1)


def test_the_longer_the_line_the_more_connections():
    counts = [growth.first(trip) for trip in (0, 0.002, 0.01, 0.04, 0.06, 0.1, 3)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (4, MOST // 2)


def test_connections_are_doubled_while_that_helps():
    grown = Growth(8)
    assert [grown.seen(rate) for rate in (1e6, 2e6, 2.1e6, 2.2e6)] == [16, 32, 32, 32]


def test_a_line_that_is_full_gets_no_more_connections_and_that_says_nothing_of_what_more_bring():
    grown = Growth(8)
    assert grown.seen(1e6) == 16
    assert grown.seen(1e6, full=True) == 16
    assert grown.seen(2e6) == 32


@pytest.mark.parametrize(
    ("trips", "full"),
    [
        ([], False),
        ([(0.1, 0.1)] * 3, False),
        ([(0.149, 0.1)] * 3, False),
        ([(0.16, 0.1)] * 3, True),
        ([(0.9, 0.1), (0.1, 0.1), (0.1, 0.1)], False),
        ([(0.16, 0.15), (0.16, 0.1), (0.16, 0.16)], True),
    ],
    ids=["none", "empty", "nearly", "waiting", "one-alone", "others-know"],
)
def test_a_line_is_full_where_most_packets_wait(trips, full):
    assert growth.full(trips) is full


def test_connections_that_carry_much_are_left_at_that():
    assert Growth(8).seen(8 * ENOUGH) == 8


def test_there_are_never_too_many():
    grown = Growth(32)
    assert [grown.seen(10.0**rate) for rate in range(3, 7)] == [64, 128, MOST, MOST]
    assert Growth(4, growth.most(0.0001)).seen(1) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_a_busy_machine_is_not_taken_for_a_long_line() -> None:
    """How long a connection takes counts what other threads of the process do meanwhile."""
    over = threading.Event()

    def keep_busy() -> None:
        while not over.is_set():
            sum(range(1000))

    threads = [threading.Thread(target=keep_busy) for _ in range(3)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        route = route_to(f"http://127.0.0.1:{server.getsockname()[1]}", "a", "b", None, 10)
        for thread in threads:
            thread.start()
        try:
            pipes = [Pipe(route) for _ in range(5)]
        finally:
            over.set()
            for thread in threads:
                thread.join()
        trips = sorted(pipe.round_trip for pipe in pipes)
        for pipe in pipes:
            pipe.close()
    assert trips[2] < growth.SHORT


def test_a_pace_is_worth_nothing_once_nobody_sent_for_long():
    pace = Pace()
    pace.delay(1000, 100, 50.0)
    assert not pace.unused(50.0 + UNUSED_SECONDS)
    assert pace.unused(50.1 + UNUSED_SECONDS)
