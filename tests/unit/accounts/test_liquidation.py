"""What liquidation asks of the accounts: terms, the fund's capacity, ranks, exact transfers, leftovers."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

import pytest

from exchange.accounts.liquidation import CloseOuts, Leftover, urgency
from exchange.accounts.loss_cover import Cover
from exchange.accounts.position import Position
from exchange.accounts.risk import BankruptcyTerms, Risk, Scope
from exchange.domain.ids import SETTLEMENT_ASSET
from exchange.domain.margin_math import bankruptcy_value, initial_margin, unrealized_pnl
from tests.cast import ALICE, BOB, BTC_PERP, CAROL, DAVE, ERIN, ETH_PERP, cash
from tests.unit.accounts.bench import ISOLATED, account_of, position_of, resting, service_of


@pytest.mark.rule("LIQ-011")
def test_urgency_is_equity_over_maintenance_and_counts_no_maintenance_as_one() -> None:
    assert urgency(Risk(40, 0, 50, 0, True)) == Fraction(4, 5)
    assert urgency(Risk(-3, 0, 0, 0, False)) == Fraction(-3)
    assert urgency(Risk(40, 0, 47, 0, True)) < urgency(Risk(41, 0, 47, 0, True)) < urgency(Risk(47, 0, 47, 0, False))


@pytest.mark.rule("LIQ-001")
@pytest.mark.parametrize("symbol", [None, "BTC-PERP"])
def test_a_flag_is_set_on_the_scope_alone_and_cleared_again(symbol: str | None) -> None:
    alice = account_of(0)
    position = position_of(alice, 10, cash("1000"))
    close_outs = CloseOuts(service_of(alice))
    close_outs.flag(Scope(ALICE, symbol), 7)
    assert (alice.liquidation_id, position.liquidation_id) == ((7, None) if symbol is None else (None, 7))
    close_outs.flag(Scope(ALICE, symbol), None)
    assert (alice.liquidation_id, position.liquidation_id) == (None, None)


@pytest.mark.rule("LIQ-002")
def test_the_positions_of_a_scope() -> None:
    alice = account_of(0)
    position_of(alice, 0, 0, instrument=ETH_PERP)
    position_of(alice, 10, cash("1000"), mode=ISOLATED)
    close_outs = CloseOuts(service_of(alice))
    assert [held.symbol for held in close_outs.positions_of(Scope(ALICE, None))] == ["ETH-PERP"]
    assert [held.symbol for held in close_outs.positions_of(Scope(ALICE, "BTC-PERP"))] == ["BTC-PERP"]


def next_symbol(close_outs: CloseOuts, scope: Scope, trades: Callable[[str], bool] = bool) -> str | None:
    """Return the symbol that is closed next; any symbol trades unless told."""
    found = close_outs.next_position(scope, trades)
    return None if found is None else found.symbol


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(
    ("btc", "eth", "first"),
    [(10, 11, "ETH-PERP"), (11, 10, "BTC-PERP"), (10, 10, "BTC-PERP"), (-10, 10, "BTC-PERP"), (0, 1, "ETH-PERP")],
)
def test_the_largest_maintenance_goes_first_and_ties_go_by_symbol(btc: int, eth: int, first: str) -> None:
    alice = account_of(0)
    position_of(alice, eth, cash(str(eth * 100)), instrument=ETH_PERP)
    position_of(alice, btc, cash(str(btc * 100)))
    assert next_symbol(CloseOuts(service_of(alice)), Scope(ALICE, None)) == first


@pytest.mark.rule("LIQ-004", "BOOK-017")
def test_those_that_do_not_trade_are_left_out() -> None:
    alice = account_of(0)
    position_of(alice, 11, cash("1100"), instrument=ETH_PERP)
    position_of(alice, 10, cash("1000"))
    close_outs = CloseOuts(service_of(alice))
    assert next_symbol(close_outs, Scope(ALICE, None), trades=lambda symbol: symbol != "ETH-PERP") == "BTC-PERP"
    assert next_symbol(close_outs, Scope(ALICE, None), trades=lambda symbol: False) is None


def test_of_an_isolated_scope_it_is_the_position_itself() -> None:
    alice = account_of(0)
    position = position_of(alice, 10, cash("1000"), mode=ISOLATED)
    position_of(alice, 90, cash("9000"), instrument=ETH_PERP)
    assert CloseOuts(service_of(alice)).next_position(Scope(ALICE, "BTC-PERP"), bool) is position


@pytest.mark.rule("LIQ-005")
def test_the_terms_of_a_closing_order_are_the_whole_positions() -> None:
    alice = account_of(0)
    position = position_of(alice, 10, cash("1000"), mode=ISOLATED, wallet=cash("105"))
    terms, limit = CloseOuts(service_of(alice, marks={"BTC-PERP": 93})).terms(position)
    assert terms == BankruptcyTerms(10, cash("895"))
    assert limit == 90


@pytest.mark.rule("LIQ-007")
def test_the_funds_capacity_is_the_most_lots_that_a_count_one_by_one_finds() -> None:
    chance = random.Random(11)
    for _ in range(60):
        alice, quantity, mark = account_of(0), chance.randrange(1, 160), chance.randrange(80, 120)
        side = chance.choice((1, -1))
        position = position_of(
            alice, side * quantity, side * quantity * cash("100"), mode=ISOLATED, wallet=chance.randrange(cash("2000"))
        )
        service = service_of(alice, marks={"BTC-PERP": mark, "ETH-PERP": 100})
        close_outs, fund = CloseOuts(service), service.ledger.fund
        fund.wallet.balance = chance.randrange(cash("4000"))
        position_of(fund, chance.randrange(-20, 20), 0, instrument=ETH_PERP)
        share = close_outs.equity_share(position)
        held = fund.positions["ETH-PERP"]
        room = fund.wallet.balance + unrealized_pnl(ETH_PERP, held.quantity, 0, 100)
        room -= initial_margin(ETH_PERP, held.quantity, 0, 100, 10)

        def need(lots: int, position: Position = position, share: int = share, mark: int = mark, side: int = side) -> int:
            value = bankruptcy_value(BTC_PERP, position.quantity, mark, share, lots)
            return initial_margin(BTC_PERP, lots, 0, mark, 10) + abs(unrealized_pnl(BTC_PERP, side * lots, value, mark))

        counted = 0
        while counted < quantity and need(counted + 1) <= room:
            counted += 1
        assert close_outs.fund_capacity(position) == counted


@pytest.mark.rule("LIQ-008")
def test_ranks_are_profit_times_leverage_then_loss_over_leverage_then_the_hopeless_by_name() -> None:
    """Shorts against alice's long, at 100. Profit: erin more than dave. Loss: carol, who has more behind it, after bob."""
    alice, scores = account_of(cash("100000")), {}
    position = position_of(alice, 40, cash("4000"))
    accounts = [alice]
    for name, wallet, entry in (
        (BOB, "200", 98),
        (CAROL, "9000", 98),
        (DAVE, "900", 110),
        (ERIN, "100", 110),
        ("zoe", "-50", 104),
        ("xavier", "-40", 104),
        ("yan", "-50", 102),
    ):
        account = account_of(cash(wallet), name)
        position_of(account, -10, cash(str(-10 * entry)))
        equity = cash(wallet) + 10 * (entry - 100) * cash("1")
        scores[name] = (Fraction(entry - 100, entry), Fraction(cash("1000"), equity) if equity > 0 else None)
        accounts.append(account)
    ranked = [held.account for held in CloseOuts(service_of(*accounts)).ranking(position)]
    assert ranked == [ERIN, DAVE, BOB, CAROL, "xavier", "yan", "zoe"]
    winners = [name for name in ranked if scores[name][0] > 0 and scores[name][1]]
    products = [scores[name][0] * (scores[name][1] or 0) for name in winners]
    assert products == sorted(products, reverse=True)


@pytest.mark.rule("LIQ-008")
def test_only_the_opposite_side_is_ranked_and_the_fund_never_is() -> None:
    alice, bob, carol = account_of(cash("9999")), account_of(cash("9999"), BOB), account_of(cash("9999"), CAROL)
    position = position_of(alice, -10, cash("-1000"))
    position_of(bob, -10, cash("-1000"))
    position_of(carol, 10, cash("1000"), mode=ISOLATED, wallet=cash("100"))
    service = service_of(alice, bob, carol)
    position_of(service.ledger.fund, 10, cash("1000"))
    assert CloseOuts(service).ranking(position) == [carol.positions["BTC-PERP"]]


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize(
    ("wallet", "flagged", "lots", "allowed"),
    [
        ("50", False, 10, True),
        ("49.999999", False, 10, False),
        ("49.999999", False, 9, True),
        ("0", False, 10, False),
        ("-1", False, 1, False),
        ("5000", True, 1, False),
    ],
)
def test_a_counterparty_is_skipped_when_flagged_bankrupt_or_taken_below_zero(
    wallet: str, flagged: bool, lots: int, allowed: bool
) -> None:
    """Alice lacks 50 on 10 lots: each lot costs the counterparty 5."""
    alice, bob = account_of(0), account_of(cash(wallet), BOB)
    position = position_of(alice, 10, cash("1000"), mode=ISOLATED, wallet=cash("-50"))
    other = position_of(bob, -10, cash("-1000"))
    bob.liquidation_id = 3 if flagged else None
    assert CloseOuts(service_of(alice, bob)).can_be_deleveraged(other, position, lots) is allowed


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize(("wallet", "allowed"), [("0", False), ("0.000001", True)])
def test_one_without_equity_is_skipped_even_where_the_price_would_favour_it(wallet: str, allowed: bool) -> None:
    alice, bob = account_of(0), account_of(cash(wallet), BOB)
    position = position_of(alice, 10, cash("1000"), mode=ISOLATED, wallet=cash("40"))
    other = position_of(bob, -10, cash("-1000"))
    assert CloseOuts(service_of(alice, bob)).can_be_deleveraged(other, position, 10) is allowed


@pytest.mark.rule("LIQ-007", "LIQ-008", "CONS-001")
def test_at_bankruptcy_value_the_scope_is_left_with_nothing_and_the_books_balance() -> None:
    alice, bob = account_of(0), account_of(cash("1000"), BOB)
    position = position_of(alice, 3, 100, mode=ISOLATED, wallet=7)
    other = position_of(bob, -3, -100)
    service = service_of(alice, bob, marks={"BTC-PERP": 100})
    service.ledger.net_deposits[SETTLEMENT_ASSET] = cash("1000") + 7
    close_outs = CloseOuts(service)
    for lots in (1, 2):
        close_outs.apply_at_bankruptcy(position, other, lots)
    assert (position.quantity, position.entry_cost, position.wallet.balance) == (0, 0, 0)
    assert (other.quantity, other.entry_cost) == (0, 0)
    assert service.ledger.imbalance(service.accounts.values()) == 0
    assert service.holders["BTC-PERP"] == {}


@pytest.mark.rule("LIQ-009")
def test_at_the_mark_the_fund_pays_the_missing_share_rounded_up() -> None:
    alice, bob = account_of(0), account_of(0, BOB)
    position = position_of(alice, 3, cash("300"), mode=ISOLATED, wallet=-100)
    other = position_of(bob, -3, cash("-300"))
    service = service_of(alice, bob)
    done = CloseOuts(service).apply_at_mark(position, other, 1)
    assert (done.value, done.fund_change, done.cover) == (cash("100"), -34, Cover(0, 34))
    assert position.wallet.balance == -66
    assert service.ledger.fund.wallet.balance == -34


@pytest.mark.rule("LIQ-007")
def test_a_transfer_to_the_fund_may_close_part_of_what_it_holds() -> None:
    alice = account_of(0)
    position = position_of(alice, -14, cash("-1190"), mode=ISOLATED, wallet=cash("119"))
    service = service_of(alice, marks={"BTC-PERP": 92})
    held = position_of(service.ledger.fund, 10, cash("900"))
    done = CloseOuts(service).apply_at_bankruptcy(position, held, 14)
    assert (done.value, done.counterparty_realized, held.quantity, held.entry_cost) == (
        cash("-1309"),
        cash("35"),
        -4,
        cash("-374"),
    )


@pytest.mark.rule("LIQ-010")
def test_what_a_flat_isolated_position_holds_goes_home_and_what_it_lacks_the_fund_brings() -> None:
    for wallet, leftover, home, fund in ((25, Leftover(25, Cover()), 25, 0), (-25, Leftover(0, Cover(0, 25)), 0, -25)):
        alice = account_of(0)
        position = position_of(alice, 0, 0, mode=ISOLATED, wallet=wallet)
        service = service_of(alice)
        assert CloseOuts(service).settle_flat(Scope(ALICE, "BTC-PERP")) == leftover
        assert (position.wallet.balance, alice.wallet.balance, service.ledger.fund.wallet.balance) == (0, home, fund)


@pytest.mark.rule("LIQ-010")
@pytest.mark.parametrize(
    ("wallet", "quantity", "cover", "after"),
    [(25, 0, Cover(), 25), (-25, 0, Cover(0, 25), 0), (-25, 1, Cover(), -25)],
)
def test_a_flat_pool_keeps_its_wallet_and_only_a_lack_is_made_good(
    wallet: int, quantity: int, cover: Cover, after: int
) -> None:
    alice = account_of(wallet)
    position_of(alice, quantity, quantity * cash("100"))
    assert CloseOuts(service_of(alice)).settle_flat(Scope(ALICE, None)) == Leftover(0, cover)
    assert alice.wallet.balance == after


@pytest.mark.rule("LIQ-010")
def test_an_isolated_position_that_is_not_flat_is_left_alone() -> None:
    alice = account_of(0)
    position = position_of(alice, 1, cash("100"), mode=ISOLATED, wallet=10)
    assert CloseOuts(service_of(alice)).settle_flat(Scope(ALICE, "BTC-PERP")) == Leftover(0, Cover())
    assert position.wallet.balance == 10
    assert resting(1, 1, 1, 1).reserve_terms is None
