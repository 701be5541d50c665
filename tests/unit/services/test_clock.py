from __future__ import annotations

import pytest

from exchange.services.clock import TIME_NS_MAX, ClockMode, RealClock, VirtualClock
from tests.cast import T0


@pytest.mark.rule("WIRE-020")
def test_a_real_clock_stands_still_while_the_machines_clock_is_set_back() -> None:
    readings = iter([100, 250, 40, 249, 251])
    clock = RealClock(lambda: next(readings))
    assert [clock.now_ns() for _ in range(5)] == [100, 250, 250, 250, 251]


def test_a_real_clock_reads_the_machines_clock_by_itself() -> None:
    clock = RealClock()
    assert clock.mode is ClockMode.REAL
    assert T0 < clock.now_ns() <= clock.now_ns()


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(T0)
    assert clock.mode is ClockMode.VIRTUAL
    assert clock.now_ns() == clock.now_ns() == T0
    clock.advance(5)
    assert clock.now_ns() == T0 + 5
    clock.set_time(T0 + 9)
    assert clock.now_ns() == T0 + 9


@pytest.mark.rule("WIRE-019")
def test_a_virtual_clock_never_goes_backward() -> None:
    clock = VirtualClock(T0)
    with pytest.raises(ValueError, match="never goes backward"):
        clock.set_time(T0 - 1)
    with pytest.raises(ValueError, match="never goes backward"):
        clock.advance(-1)
    assert clock.now_ns() == T0


def test_a_virtual_clock_ends_where_the_wire_can_no_longer_tell_its_time() -> None:
    clock = VirtualClock(T0)
    clock.set_time(TIME_NS_MAX)
    with pytest.raises(ValueError, match="cannot go beyond"):
        clock.advance(1)
