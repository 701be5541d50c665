"""Token buckets: never more than the rate and the burst allow, and never less to who waits as told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.server.limits import ServerLimits
from exchange.server.rate_limits import ORDERS, PROTECTIVE, SECOND_NS, Bucket, RateLimits, _weight
from exchange.wire import parameters, requests
from exchange.wire.session import REQUIRED_SCOPES, Credential, Scope

ALICE = Credential("alice-key", "s", "alice", frozenset({Scope.READ, Scope.TRADE}))
BOB = Credential("bob-key", "s", "bob", frozenset({Scope.READ, Scope.TRADE}))
PLACE = requests.OrderPlace(id=1, params=parameters.PlaceParams(symbol="BTC-PERP", side="buy", quantity="1"))
ROOT = Credential("root", "s", None, frozenset({Scope.ADMIN}))


@pytest.mark.rule("SAFE-004")
@given(st.integers(1, 10**6), st.integers(1, 50), st.lists(st.integers(0, 3 * SECOND_NS), min_size=1, max_size=60))
def test_in_every_span_of_time_no_more_pass_than_the_burst_and_what_came_back(
    per_s: int, burst: int, pauses: list[int]
) -> None:
    bucket, now_ns = Bucket(per_s, burst, 0), 0
    passed: list[int] = []
    for pause in pauses:
        now_ns += pause
        if not bucket.take(now_ns):
            passed.append(now_ns)
    for first, begin in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - begin) * per_s // SECOND_NS


@pytest.mark.rule("SAFE-004")
@given(st.integers(1, 10**6), st.integers(1, 50), st.lists(st.integers(0, SECOND_NS), max_size=60))
def test_who_waits_as_told_gets_through_and_not_a_nanosecond_before(per_s: int, burst: int, pauses: list[int]) -> None:
    bucket, now_ns = Bucket(per_s, burst, 7), 7
    for pause in pauses:
        now_ns += pause
        left = bucket.left(now_ns)
        wait_ns = bucket.take(now_ns)
        assert (wait_ns == 0) == (left > 0)
        if wait_ns:
            assert bucket.take(now_ns + wait_ns - 1) == 1
            now_ns += wait_ns
            assert bucket.take(now_ns) == 0


def test_a_clock_that_stands_still_or_falls_back_gives_nothing_away() -> None:
    bucket = Bucket(10, 2, 5 * SECOND_NS)
    assert [bucket.take(at) for at in (5 * SECOND_NS, 4 * SECOND_NS, 3 * SECOND_NS)] == [0, 0, SECOND_NS // 10]
    assert bucket.left(5 * SECOND_NS) == 0


@pytest.mark.rule("SAFE-004")
def test_a_key_has_one_allowance_over_all_its_connections_and_each_nameless_connection_its_own() -> None:
    rates = RateLimits(ServerLimits(order_requests_burst=2, read_requests_burst=1), lambda: 0)
    one, two = rates.meter(), rates.meter()
    assert [meter.check(ALICE, PLACE) is None for meter in (one, two, one, two)] == [True, True, False, False]
    assert two.check(BOB, PLACE) is None
    assert [one.check(None, requests.Ping(id=1)) is None, one.check(None, None) is None] == [True, False]
    assert two.check(None, requests.Ping(id=1)) is None
    assert all(one.check(ROOT, PLACE) is None for _ in range(100))


@pytest.mark.rule("SAFE-004")
def test_what_takes_risk_away_is_never_held_up_by_orders() -> None:
    meter = RateLimits(ServerLimits(order_requests_burst=1, order_requests_per_s=1), lambda: 0).meter()
    assert meter.check(ALICE, PLACE) is None
    refused = meter.check(ALICE, PLACE)
    assert refused is not None
    assert refused.retry_ms == 1_000
    for protective in (
        requests.OrderCancel(id=1, params=parameters.OrderReferenceParams(order_id=1)),
        requests.OrderCancelAll(id=1),
        requests.CancelAfter(id=1, params=parameters.CancelAfterParams(timeout_ms=1)),
        requests.CancelOnDisconnect(id=1, params=parameters.CancelOnDisconnectParams(enabled=True)),
        requests.Logout(id=1),
    ):
        assert meter.check(ALICE, protective) is None
    withdraw = requests.AccountWithdraw(id=1, params=parameters.WithdrawParams(amount="1"))
    assert meter.check(ALICE, withdraw) is not None


def test_every_request_that_changes_an_account_is_an_order_or_protective() -> None:
    assert {str(kind.__struct_config__.tag) for kind in REQUIRED_SCOPES} >= PROTECTIVE, "there are such methods"
    for kind, scope in REQUIRED_SCOPES.items():
        method = str(kind.__struct_config__.tag)
        assert (kind in ORDERS) == (scope is Scope.TRADE and method not in PROTECTIVE), method


@pytest.mark.rule("SAFE-004")
def test_a_batch_counts_as_the_orders_in_it_and_one_above_the_burst_is_paid_off_afterwards() -> None:
    bucket = Bucket(10, 5, 0)
    assert [bucket.take(0, 4), bucket.take(0, 4)] == [0, 3 * SECOND_NS // 10]
    assert bucket.take(SECOND_NS, 12) == 0, "from a full bucket"
    assert bucket.left(SECOND_NS) == 0
    assert bucket.take(SECOND_NS) == 8 * SECOND_NS // 10
    assert bucket.take(SECOND_NS + 8 * SECOND_NS // 10) == 0
    assert _weight(PLACE) == _weight(None) == 1
