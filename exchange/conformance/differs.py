"""Cases that are not run, each with the rule that differs: always, for some inputs, or under a profile without the choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from exchange.conformance.cases import Posed
from exchange.domain.policy import AdlRanking, LiquidationLimit, LiquidationSizing, MarginPrice, OrderMarginRule, RiskPolicy

INVERSE = "inverse contract: margin and profit are in the coin; contracts here are linear"
PROFILE = "needs a profile: "
"""Begins the reason where a profile would make the choice, and the one that a case is posed under has not."""
ABSENT = "no profile has this rule: "
"""Begins the reason where no choice of ``[risk]`` says it."""

Condition: TypeAlias = Callable[[Posed], bool]


class Difference(NamedTuple):
    """Why a case is none of the rules that it is posed under, and which cases of its formula that holds for."""

    reason: str
    applies: Condition


def _always(reason: str) -> tuple[Difference, ...]:
    return (Difference(reason, lambda posed: True),)


def _without(chosen: Callable[[RiskPolicy], bool], reason: str) -> Difference:
    """Return what differs under every profile that has not made the choice."""
    return Difference(PROFILE + reason, lambda posed: not chosen(posed.policy))


def _maintenance_at_entry(policy: RiskPolicy) -> bool:
    return policy.maintenance_price is MarginPrice.ENTRY


AT_ENTRY = _without(_maintenance_at_entry, "maintenance at entry, not at the mark")
AT_MARK = _without(lambda policy: not _maintenance_at_entry(policy), "maintenance at the mark, not at entry")
CLOSE_FEE = Difference(
    PROFILE + "the fee of the close is inside maintenance",
    lambda posed: bool(posed.given.get("taker_fee")) and not posed.policy.close_fee_in_maintenance,
)
ORDER_CLOSE_FEE = _without(lambda policy: policy.order_close_fee, "an order holds the fee of a close at bankruptcy, too")
PROFIT_FOR_ORDERS = _without(lambda policy: policy.profit_for_orders, "unrealised profit counts for new orders")


# -- conditions on what a case gives -------------------------------------------------------------------------------------


def _gives(name: str) -> Condition:
    return lambda posed: name in posed.given


def _expects(name: str) -> Condition:
    return lambda posed: name in posed.case.expected


def _leg_away_from_entry(posed: Posed) -> bool:
    mark = posed.given["mark"]
    return any(leg["entry"] != mark for leg in posed.given.parts("positions"))


def _in_profit(posed: Posed) -> bool:
    mark = posed.given["mark"]
    return sum(leg["qty"] * (mark - leg["entry"]) for leg in posed.given.parts("positions")) > 0


def _payers_part_is_broken(posed: Posed) -> bool:
    given = posed.given
    shares = [size * given["payment"] / given["position_factor"] for size in given.numbers("sizes")]
    return any(share > 0 and share.denominator != 1 for share in shares)


def _counterparty_without_equity(posed: Posed) -> bool:
    if posed.case.expected.get("valid") is False:
        return False  # refused for whatever reason, here as there
    closed = posed.given.text("close_market")
    prices = {leg.text("market"): leg["price"] for leg in posed.given.part("liquidated").parts("positions")}
    other = posed.given.part("offsetting")
    return closed in prices and other["quote_balance"] + other["size"] * prices[closed] <= 0


def _open_interest_counts(posed: Posed) -> bool:
    return posed.given.get("open_interest_notional") > posed.given.get("oi_lower")


def _ranked_by(name: str) -> Condition:
    return lambda posed: posed.given.text("ranking") == name


DIFFERS: Mapping[str, tuple[Difference, ...]] = {
    # -- requirements --------------------------------------------------------------------------------------------------
    "mmr_half_im": _always("the maintenance rate is half of one over the maximum leverage; here each tier states its own rate"),
    "min_margin_factor": _always(
        "a margin factor above the risk factors; here leverage is whole and a tier's maximum bounds it"
    ),
    "position_limit": _always("a limit on the position's size; here tiers bound it by leverage"),
    "im_linear_ramp": _always(ABSENT + "rates rise evenly with the size"),
    "im_open_interest_scaled": (Difference(ABSENT + "the initial rate rises with the open interest", _open_interest_counts),),
    "funding_margin_component": _always(ABSENT + "maintenance holds a part of the funding to come"),
    "im_with_close_fee": (ORDER_CLOSE_FEE,),
    "order_cost_with_fees": (ORDER_CLOSE_FEE,),
    "margin_ratio": (CLOSE_FEE,),
    "vega_margin_levels": (
        Difference(ABSENT + "orders count in maintenance", lambda posed: bool(posed.given.get("same_side_order_size"))),
        Difference(
            ABSENT + "there are levels of margin between initial and maintenance",
            lambda posed: not posed.case.expected.keys() <= {"maintenance", "initial"},
        ),
    ),
    # -- available -----------------------------------------------------------------------------------------------------
    "cross_available": (
        Difference(
            PROFILE + "initial margin at entry, not at the mark",
            lambda posed: posed.policy.initial_margin_price is MarginPrice.MARK and _leg_away_from_entry(posed),
        ),
        Difference(PROFIT_FOR_ORDERS.reason, lambda posed: PROFIT_FOR_ORDERS.applies(posed) and _in_profit(posed)),
    ),
    "equity_after_trades": (
        Difference("takes a reservation as given; here reservations follow from the resting orders alone", _gives("reserve")),
        Difference(
            "the owner's close pays a taker fee and may end below zero; here a liquidation fill pays no taker fee",
            _expects("bad_debt"),
        ),
    ),
    "free_and_withdrawable": (PROFIT_FOR_ORDERS,),
    # -- orders --------------------------------------------------------------------------------------------------------
    "isolated_order_side_margin": (
        Difference("no loss against the mark is held for sells below it; here it is", _gives("auction_price")),
    ),
    "partial_fill_reserve": (
        Difference("the reservation is what the fills have left of it; here it is always recomputed", _expects("order_margin")),
    ),
    "order_margin_notional_offset": (
        _without(
            lambda policy: policy.order_margin is OrderMarginRule.NOTIONAL_OFFSET, "orders are offset by notional, not by lots"
        ),
    ),
    # -- trades --------------------------------------------------------------------------------------------------------
    "state_transition": (
        Difference(
            "a change out of a deficit is refused whatever it leads to; here what it leads to counts",
            lambda posed: posed.given["old_nc"] < 0 and posed.given["new_nc"] >= posed.given["new_mmr"] > 0,
        ),
    ),
    "isolated_margin_release_reduce": _always(ABSENT + "a reduction releases margin by the average price against the mark"),
    # -- prices --------------------------------------------------------------------------------------------------------
    "lp_mm_at_entry": (AT_ENTRY,),
    "lp_given_extra": (AT_ENTRY,),
    "lp_mm_at_mark": (CLOSE_FEE, AT_MARK),
    "lp_tiered": (AT_MARK,),
    "lp_cross_equity": (AT_MARK,),
    "fillable_price": (
        _without(
            lambda policy: policy.liquidation_limit is LiquidationLimit.FILLABLE,
            "the closing limit lies between the mark and bankruptcy",
        ),
    ),
    # -- defaults ------------------------------------------------------------------------------------------------------
    "deleverage_at_bankruptcy": (
        Difference("a counterparty without equity may be deleveraged; here it is skipped", _counterparty_without_equity),
    ),
    "adl_threshold": _always("deleveraging begins when the fund has fallen far; here when the fund cannot carry the position"),
    "adl_select": (
        Difference(
            "the score is profit times leverage; here it is profit on entry times leverage", _ranked_by("pnl_x_leverage")
        ),
    ),
    "adl_score": (
        _without(
            lambda policy: policy.adl_ranking is AdlRanking.PROFIT_MARGIN_RATIO,
            "the score is profit on margin times margin ratio",
        ),
    ),
    "loss_socialisation_prorata": _always(
        "what is paid out is rounded down and the last gets the rest; here what each bears is"
    ),
    "block_limit_notional": (
        _without(
            lambda policy: policy.liquidation_sizing is LiquidationSizing.FRACTION, "a close is a fraction of the position"
        ),
    ),
    "funding_index_socialise": _always(ABSENT + "a loss is spread over both sides through funding"),
    "liq_fee_ramp": (_without(lambda policy: policy.liquidation_fee_rise > 0, "the liquidation fee rises with time"),),
    "perp_if_fee": _always(ABSENT + "the fund's fee shrinks with the shortage"),
    # -- funding -------------------------------------------------------------------------------------------------------
    "funding_clamp": _always("the cap follows from the margin rates; here it is configured"),
    "perp_funding_payment": _always("the rate is scaled by a factor before it is capped; here it is not scaled"),
    "funding_rounding": (
        Difference("what is paid is rounded down too; here it is rounded up and what is received down", _payers_part_is_broken),
    ),
    # -- contracts of another kind -------------------------------------------------------------------------------------
    "bankruptcy_inverse_leverage": _always(INVERSE),
    "im_inverse": _always(INVERSE),
    "inverse_avg_entry": _always(INVERSE),
    "inverse_cross_lp": _always(INVERSE),
    "inverse_liq": _always(INVERSE),
    "order_cost_inverse": _always(INVERSE),
    "liability_transfer": _always("liquidates a loan of one asset against another; here one asset settles"),
    "mango_perp_health": _always("health by asset weights; here equity against maintenance"),
}
"""By formula id, why its cases, or some of them, are no cases of the rules they are posed under."""


def difference_of(posed: Posed) -> str | None:
    """Return why a case is none of the rules it is posed under, or None. Raises ``CaseError`` for what cannot be read."""
    for difference in DIFFERS.get(posed.case.formula_id, ()):
        if difference.applies(posed):
            return difference.reason
    return None
