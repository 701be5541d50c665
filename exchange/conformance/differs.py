"""Cases that are not run, each with the rule that differs.

A key is a case id or a formula id; a case id wins. An entry for a formula id stands for all its cases.
"""

from __future__ import annotations

from collections.abc import Mapping

INVERSE = "inverse contract: margin and profit are in the coin; contracts here are linear"
PROFILE = "needs a profile: "

DIFFERS: Mapping[str, str] = {
    # -- requirements --------------------------------------------------------------------------------------------------
    "mmr_half_im": "the maintenance rate is half of one over the maximum leverage; here each tier states its own rate",
    "min_margin_factor": "a margin factor above the risk factors; here leverage is whole and a tier's maximum bounds it",
    "im_with_close_fee": "initial margin with the fee of a close at bankruptcy; here the fee is charged when it falls due",
    "order_cost_with_fees": "order cost with the fee of a close at bankruptcy; here an order holds its own fee only",
    "position_limit": "a limit on the position's size; here tiers bound it by leverage",
    # -- available -----------------------------------------------------------------------------------------------------
    "bingx-available-3": "initial margin at entry, not at the mark",
    "lfest-equity-survivor": "takes a reservation as given; here reservations follow from the resting orders alone",
    "lfest-gap": "the owner's close pays a taker fee and may end below zero; here a liquidation fill pays no taker fee",
    "free_and_withdrawable": "unrealised profit counts for new orders; here losses count and profit does not",
    # -- orders --------------------------------------------------------------------------------------------------------
    "vega-unit-om-asell0": "no loss against the mark is held for sells below it; here it is",
    "vega-unit-om-asell20": "no loss against the mark is held for sells below it; here it is",
    "vega-iso-increase-fill": "the reservation is what the fills have left of it; here it is always recomputed",
    # -- trades --------------------------------------------------------------------------------------------------------
    "dydx-transition-3": "a change out of a deficit is refused whatever it leads to; here what it leads to counts",
    "dydx-transition-6": "a lesser deficit is allowed; here the owner's trade may not leave a scope below zero",
    # -- defaults ------------------------------------------------------------------------------------------------------
    "dydx-deleverage-13": "a counterparty without equity may be deleveraged; here it is skipped",
    "adl_threshold": "deleveraging begins when the fund has fallen far; here when the fund cannot carry the position",
    "adl_select": "counterparties are closed whole until their profit covers the deficit; here until the position is gone",
    "loss_socialisation_prorata": "what is paid out is rounded down and the last gets the rest; here what each bears is",
    # -- funding -------------------------------------------------------------------------------------------------------
    "funding_clamp": "the cap follows from the margin rates; here it is configured",
    "perp_funding_payment": "the rate is scaled by a factor before it is capped; here it is not scaled",
    "vega-funding-round-4": "what is paid is rounded down too; here it is rounded up and what is received down",
    # -- contracts of another kind -------------------------------------------------------------------------------------
    "bankruptcy_inverse_leverage": INVERSE,
    "im_inverse": INVERSE,
    "inverse_avg_entry": INVERSE,
    "inverse_cross_lp": INVERSE,
    "inverse_liq": INVERSE,
    "order_cost_inverse": INVERSE,
    "liability_transfer": "liquidates a loan of one asset against another; here one asset settles",
    "mango_perp_health": "health by asset weights; here equity against maintenance",
    # -- variants ------------------------------------------------------------------------------------------------------
    "adl_score": PROFILE + "the score is profit ratio times margin ratio",
    "flox-adl-rank-f": PROFILE + "the score is the size",
    "block_limit_notional": PROFILE + "a block limits what is liquidated",
    "disposal_schedule": PROFILE + "the fund's position is sold off by shares of the book",
    "fillable_price": PROFILE + "the closing limit lies between the mark and bankruptcy",
    "funding_index_socialise": PROFILE + "a loss is spread over both sides through funding",
    "funding_margin_component": PROFILE + "maintenance holds a part of the funding to come",
    "im_linear_ramp": PROFILE + "rates rise evenly with the size",
    "dydx-oimf-8": PROFILE + "the initial rate rises with the open interest",
    "dydx-oimf-realistic": PROFILE + "the initial rate rises with the open interest",
    "isolated_margin_release_reduce": PROFILE + "a reduction releases margin by the average price against the mark",
    "liq_fee_ramp": PROFILE + "the liquidation fee rises with time",
    "lp_buffer": PROFILE + "a buffer on the liquidation price",
    "lp_given_extra": PROFILE + "maintenance at entry, not at the mark",
    "lp_mm_at_entry": PROFILE + "maintenance at entry, not at the mark",
    "order_margin_notional_offset": PROFILE + "orders are offset by notional, not by lots",
    "perp_if_fee": PROFILE + "the fund's fee shrinks with the shortage",
    "binance-lp-buffer-long": PROFILE + "a buffer on the liquidation price",
    "binance-lp-dca-1": PROFILE + "a buffer on the liquidation price",
    "binance-lp-dca-2": PROFILE + "a buffer on the liquidation price",
    "binance-lp-dca-4": PROFILE + "a buffer on the liquidation price",
}
"""Why a case, or every case of a formula, is no case of the rules here."""

ORDERS_IN_MAINTENANCE = PROFILE + "orders count in maintenance, and other levels are multiples of it"
