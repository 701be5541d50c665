from __future__ import annotations

import pytest

from exchange.server.limits import ServerLimits
from exchange.server.outbox import Outbox
from tests.unit.server.memory_port import MemoryPort

LIMITS = ServerLimits(write_batch_bytes=10, outbox_bytes_max=30)


def test_small_frames_wait_for_the_end_of_the_turn_and_go_out_as_one() -> None:
    port = MemoryPort()
    outbox = Outbox(port, LIMITS)
    for frame in (b"one", b"two", b"3"):
        assert outbox.append(frame)
    assert (port.flushes_asked, port.written, outbox.pending_bytes) == (1, [], 7)
    outbox.flush()
    assert (port.written, outbox.pending_bytes) == ([b"onetwo3"], 0)
    outbox.append(b"4")
    assert port.flushes_asked == 2


def test_a_full_batch_goes_out_at_once_and_a_frame_is_never_cut() -> None:
    port = MemoryPort()
    outbox = Outbox(port, LIMITS)
    outbox.append(b"12345678")
    outbox.append(b"abcdefghijklmnopq")
    assert port.written == [b"12345678", b"abcdefghijklmnopq"]


@pytest.mark.rule("WIRE-014")
def test_a_socket_that_takes_nothing_fills_the_outbox_up_to_its_bound() -> None:
    port = MemoryPort(batches=1)
    outbox = Outbox(port, LIMITS)
    assert [outbox.append(b"0123456789") for _ in range(5)] == [True, True, True, True, False]
    assert port.written == [b"0123456789"]
    outbox.clear()
    assert outbox.pending_bytes == 0


def test_what_waited_goes_out_in_order_when_the_socket_takes_more() -> None:
    port = MemoryPort(batches=0)
    outbox = Outbox(port, LIMITS)
    for number in range(9):
        outbox.append(b"%d--" % number)
    port.batches = 2
    outbox.flush()
    assert port.written == [b"0--1--2--", b"3--4--5--"]
    port.batches = 9
    outbox.flush()
    assert b"".join(port.written) == b"".join(b"%d--" % number for number in range(9))
