"""Bugs planted in what liquidation asks of the accounts: whose turn, the fund, deleveraging, losses."""

from __future__ import annotations

from tests.mutants.planting import Mutant

LIQUIDATION = "exchange/accounts/liquidation.py"
LOSS = "exchange/accounts/loss_cover.py"
RANKING = "exchange/accounts/adl_ranking.py"

MUTANTS = (
    Mutant(
        name="the scope that is best off is liquidated first",
        rule="LIQ-011",
        file=LIQUIDATION,
        old="return Fraction(risk.equity, max(risk.maintenance_margin, 1))",
        new="return Fraction(-risk.equity, max(risk.maintenance_margin, 1))",
    ),
    Mutant(
        name="the smallest position of a cross pool is closed first",
        rule="LIQ-004",
        file=LIQUIDATION,
        old="key=lambda each: (-each.maintenance_margin(",
        new="key=lambda each: (each.maintenance_margin(",
    ),
    Mutant(
        name="only positions in isolated mode have their orders canceled",
        rule="LIQ-002",
        file=LIQUIDATION,
        old="if held.margin_mode is MarginMode.CROSS]",
        new="if held.margin_mode is MarginMode.ISOLATED]",
    ),
    Mutant(
        name="the fund takes over beyond what it can carry",
        rule="LIQ-007",
        file=LIQUIDATION,
        old=" + abs(unrealized_pnl(instrument, taken, value, mark))",
        new="",
    ),
    Mutant(
        name="positions that the fund has cost it nothing",
        rule="LIQ-007",
        file=LIQUIDATION,
        old="        room = pool.equity - sum(",
        new="        room = pool.equity - 0 * sum(",
    ),
    Mutant(
        name="deleveraging takes a counterparty below zero",
        rule="LIQ-008",
        file=LIQUIDATION,
        old="return equity > 0 and equity + gained >= 0",
        new="return equity > 0",
    ),
    Mutant(
        name="flagged counterparties are deleveraged",
        rule="LIQ-008",
        file=LIQUIDATION,
        old="        if path.is_liquidating(owner, other):\n            return False\n",
        new="",
    ),
    Mutant(
        name="an emptied isolated wallet keeps what is left",
        rule="LIQ-010",
        file=LIQUIDATION,
        old="if position.quantity or not left:",
        new="if position.quantity or left >= 0:",
    ),
    Mutant(
        name="the wallet is topped up although that does not cure",
        rule="MARG-024",
        file=LIQUIDATION,
        old="or amount <= 0 or not cures:",
        new="or amount <= 0:",
    ),
    Mutant(
        name="the fund pays for fills however far from the mark",
        rule="LIQ-014",
        file=LIQUIDATION,
        old="return min(limit, max(limit - spare, ceil_div(mark * (PPM - slippage), PPM)))",
        new="return min(limit, limit - spare)",
    ),
    Mutant(
        name="a close below the least partial notional is partial",
        rule="LIQ-004",
        file=LIQUIDATION,
        old="risk.equity <= 0 or is_small",
        new="risk.equity <= 0",
    ),
    Mutant(
        name="the ranking for deleveraging is reversed",
        rule="LIQ-008",
        file=RANKING,
        old="(each[1][0], -each[1][1], each[0])",
        new="(each[1][0], each[1][1], each[0])",
    ),
    Mutant(
        name="losers are deleveraged among the winners",
        rule="LIQ-008",
        file=RANKING,
        old="return 1, share * Fraction(held.equity, held.notional)",
        new="return 0, -share * Fraction(held.equity, held.notional)",
    ),
    Mutant(
        name="the fund pays from below zero",
        rule="LIQ-009",
        file=LOSS,
        old="from_fund = min(amount, self.capacity())",
        new="from_fund = amount",
    ),
    Mutant(
        name="the fund pays with what its positions have lost",
        rule="LIQ-009",
        file=LOSS,
        old="max(0, min(fund.wallet.balance, pool_risk(fund, self._service.marks).equity))",
        new="max(0, fund.wallet.balance)",
    ),
    Mutant(
        name="winners pay more than they have won",
        rule="LIQ-009",
        file=LOSS,
        old="shared = min(loss, total)",
        new="shared = loss",
    ),
    Mutant(
        name="the rounding of a shared loss is paid by nobody",
        rule="LIQ-009",
        file=LOSS,
        old="    shares[largest] = min(gains[largest], shares[largest] + shared - sum(shares))\n",
        new="    assert largest >= 0\n",
    ),
    Mutant(
        name="winners pay more than their scope has",
        rule="LIQ-009",
        file=LOSS,
        old="gain = min(profit, left)",
        new="gain = profit",
    ),
)
