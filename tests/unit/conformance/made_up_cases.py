"""Cases in the published format that no venue has published: their figures are worked out by hand, in the notes beside them."""

from __future__ import annotations

from typing import Any, NamedTuple


class MadeUp(NamedTuple):
    """A case under the profile that covers it; ``only`` where no other does."""

    formula_id: str
    kind: str
    profile: str
    inputs: dict[str, Any]
    expected: dict[str, Any]
    only: bool = True
    rounding: str = "exact"
    margin_mode: str = "n/a"

    @property
    def written(self) -> dict[str, Any]:
        """The case as a file holds it; its system is the profile's name."""
        return {
            "id": f"made-up-{self.formula_id}",
            "system": self.profile,
            "kind": self.kind,
            "applicability": "variant",
            "formula_id": self.formula_id,
            "inputs": self.inputs,
            "expected": self.expected,
            "rounding": self.rounding,
            "margin_mode": self.margin_mode,
        }


LONG_POOL = {
    "quote_balance": "-380",
    "positions": [{"market": "M", "size": "4", "price": "100", "mmf": "0.1"}],
    "close_market": "M",
    "bankruptcy_adjustment": "1",
    "spread_to_mmr": "0.25",
}
"""Four at 100 with 380 owed: equity 20 of a maintenance of 40, so half of it is lost."""

MADE_UP = [
    # 250 at 4x: 62.5 of margin; maintenance 2 % at entry is 5; liquidated 57.5 below
    MadeUp(
        "lp_mm_at_entry",
        "liq_price_isolated",
        "bybit",
        {"side": "long", "qty": "1", "entry": "250", "leverage": "4", "mmr": "0.02"},
        {"initial_margin": "62.5", "maintenance_margin": "5", "liq_price": "192.5"},
    ),
    # the same short, with 10 more: liquidated 67.5 above
    MadeUp(
        "lp_mm_at_entry",
        "liq_price_isolated",
        "lfest",
        {"side": "short", "qty": "1", "entry": "250", "leverage": "4", "mmr": "0.02", "extra_margin": "10"},
        {"liq_price": "317.5"},
    ),
    # 60 more behind 3 lots: 20 each
    MadeUp(
        "lp_given_extra",
        "isolated_margin_add",
        "bybit",
        {"side": "short", "liq_price_without_extra": "120", "extra_margin": "60", "qty": "3"},
        {"liq_price": "140"},
    ),
    # 80 - 10 = P * 0.98 - ... : 100 - 20 is worthless at (100 - 20) / (1 - 0.019 - 0.001)
    MadeUp(
        "lp_mm_at_mark",
        "liq_price_isolated",
        "okx",
        {"side": "long", "qty": "1", "entry": "100", "collateral": "20.4", "mmr": "0.004", "taker_fee": "0.001"},
        {"liq_price": "80"},
    ),
    # 1 % of 500 with a fee of 0.5 % is 7.5 of 50
    MadeUp(
        "margin_ratio",
        "margin_ratio",
        "bingx",
        {
            "qty": "5", "entry": "100", "mark": "100", "mm_price": "100",
            "mmr": "0.01", "taker_fee": "0.005", "balance": "50",
        },
        {"margin_ratio_pct": "15"},
    ),
    # half of the maintenance is lost: the limit is 0.5 * 0.25 * 10 below the mark of 100
    MadeUp("fillable_price", "liquidation_limit_price", "dydx", LONG_POOL, {"fillable_price": "98.75"}),
    # 25 % of 80, but no less than 30; and 30 by itself
    MadeUp(
        "block_limit_notional",
        "partial_liq_amount",
        "hyperliquid",
        {"notional": "80", "min_notional": "30", "max_portion": "0.25"},
        {"min": "30", "max": "30"},
    ),
    # 5 * 110 of sells against 5 bought at 100: 50 of them are not covered, half of that is margin
    MadeUp(
        "order_margin_notional_offset",
        "order_margin",
        "lfest",
        {"position": "5", "entry": "100", "orders": [{"side": "sell", "size": "5", "price": "110"}], "imr": "0.5"},
        {"order_margin": "25"},
    ),
    # 100 of margin, 0.5 to open 500, and 0.6 to close 600 where a short of 5x is bankrupt
    MadeUp(
        "order_cost_with_fees",
        "order_cost",
        "bybit",
        {"side": "short", "qty": "5", "price": "100", "leverage": "5", "taker_fee": "0.001"},
        {"initial_margin": "100", "open_fee": "0.5", "close_fee": "0.6", "order_cost": "101.1", "total": "100.6"},
    ),
    # 10 of profit counts for orders and not for withdrawal
    MadeUp(
        "free_and_withdrawable",
        "max_withdrawable",
        "hyperliquid",
        {"balance": "100", "upnl": "10", "margin_used": "30"},
        {"free_collateral": "80", "withdrawable": "70"},
    ),
    # 50 and 45 of margin at entry, 10 of loss on the first
    MadeUp(
        "cross_available",
        "available_balance",
        "bingx",
        {
            "balance": "200",
            "mark": "90",
            "positions": [{"qty": "1", "entry": "100", "leverage": "2"}, {"qty": "-1", "entry": "90", "leverage": "2"}],
        },
        {"available": "95"},
    ),
    # 3 * 0.25
    MadeUp("adl_score", "adl_rank", "binance", {"pnl_percent": "3", "margin_ratio": "0.25"}, {"score": "0.75"}),
    # 1 % and 2,000 slots of a millionth
    MadeUp(
        "liq_fee_ramp",
        "liquidation_fee",
        "drift",
        {"base_fee": "0.01", "max_fee": "0.05", "slots_elapsed": "2000"},
        {"fee": "0.012"},
    ),
    # what follows is stated by the case itself, so that every profile has it: 80 moved by a tenth of the way to 100
    MadeUp(
        "lp_buffer",
        "liq_price_buffered",
        "default",
        {"side": "long", "entry": "100", "liq_price": "80", "liq_buffer": "0.1"},
        {"liq_price": "82"},
        only=False,
    ),
    # half, then a quarter of the book at most, then what is at most 10
    MadeUp(
        "disposal_schedule",
        "partial_liq_amount",
        "default",
        {"position": "48", "fraction": "0.5", "full_disposal_size": "10", "max_fraction": "0.2", "book_volume": "100"},
        {"sizes": ["20", "14", "7", "7"]},
        only=False,
    ),
    # the larger position first, whatever it has earned
    MadeUp(
        "adl_select",
        "adl_rank",
        "default",
        {
            "mark": "90",
            "winners": [
                {"id": "a", "qty": "-2", "entry": "100", "equity": "1"},
                {"id": "b", "qty": "-9", "entry": "91", "equity": "900"},
            ],
            "ranking": "size",
            "deficit": "9",
        },
        {"closed": ["b"]},
        only=False,
    ),
    # 3 more at 110 beside 2 bought at 100: 20 of profit, and 55 needed where 50 are there
    MadeUp(
        "order_check",
        "order_check",
        "default",
        {"collateral": "30", "qty": "2", "entry": "100", "mark": "110", "qty_after": "5", "imf": "0.1"},
        {"account_value": "50", "imr": "55", "meets_imr": False},
        only=False,
    ),
    # 1.5 times a maintenance of 30
    MadeUp(
        "vega_margin_levels",
        "margin_levels",
        "default",
        {"mark": "100", "open_size": "2", "slippage": "0.1", "risk_factor": "0.05", "scaling": {"initial": "1.5"}},
        {"maintenance": "30", "initial": "45"},
        only=False,
    ),
]  # fmt: skip
