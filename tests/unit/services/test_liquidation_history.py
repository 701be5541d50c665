from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.services.liquidation_history import LiquidationHistory, RecordSlice
from tests.cast import ALICE, BOB
from tests.wire_kit import RECORD


def history_of(records_max: int = 100) -> LiquidationHistory:
    """Return six finished liquidations, of alice and bob in turn, in another order than they began."""
    history = LiquidationHistory(records_max)
    for number, liquidation_id in enumerate((12, 11, 14, 13, 16, 15)):
        history.add(replace(RECORD, liquidation_id=liquidation_id, account=(ALICE, BOB)[number % 2]))
    return history


def ids(page: RecordSlice) -> list[int]:
    return [each.record.liquidation_id for each in page.records]


@pytest.mark.rule("WIRE-022", "LIQ-016")
def test_records_are_numbered_as_they_finish_and_paged_from_the_newest() -> None:
    history = history_of()
    assert ids(history.page(4)) == [15, 16, 13, 14]
    assert [each.number for each in history.page(4).records] == [6, 5, 4, 3]
    assert ids(history.page(4, before=3)) == [11, 12]
    assert [history.page(4, before).has_older for before in (None, 3)] == [True, False]
    assert [history.page(limit).has_older for limit in (5, 6)] == [True, False]
    assert ids(history.page(9, account=BOB)) == [15, 13, 11]
    assert ids(history.page(1, before=6, account=BOB)) == [13]
    assert history.page(9, account="nobody") == RecordSlice((), 0, False)
    assert (history.number_of(13), history.number_of(99)) == (4, None)


@pytest.mark.rule("WIRE-022")
def test_the_oldest_beyond_the_bound_are_dropped_and_counted() -> None:
    history = history_of(records_max=3)
    assert ids(history.page(9)) == [15, 16, 13]
    assert history.page(9).dropped == 3
    assert (ids(history.page(9, account=ALICE)), history.page(9, account=ALICE).dropped) == ([16], 2)
    assert history.number_of(12) is None
