"""``ringfence margin`` on the command line: its options and help. What it computes is imported only when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from exchange.app.options import MarginOptions
from exchange.app.profile_option import add_profile_option

LEVERAGE_MAX = 1_000
"""The most leverage that can be written; what an instrument allows is less."""

_DESCRIPTION = """\
What a position needs and when it is liquidated: margins, fee, liquidation and bankruptcy price, margin ratio and the most it
can lose, in cross and in isolated mode, by the same formulas that the exchange uses. The position is opened as a taker at
--entry while the mark is there, and looked at at --mark; nothing else is in the account."""

_EPILOG = """\
examples:
  ringfence margin --symbol BTC-PERP --side long --entry 60000 --quantity 1 --leverage 10 --wallet 10000
  ringfence margin --symbol ETH-PERP --side short --entry 4000 --quantity 20 --mark 4200 --mode isolated --margin 12000
  ringfence margin --symbol BTC-PERP --side long --entry 60000 --quantity 1 --wallet 10000 --svg health.svg
  ringfence margin --symbol BTC-PERP --side long --entry 60000 --quantity 1 --profile binance --json

Money is in the settlement currency, prices are whole ticks and quantities whole lots of the symbol.
"""


def add_margin(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``ringfence``."""
    margin = commands.add_parser(
        "margin",
        help="calculate what a position needs and when it is liquidated",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    margin.add_argument("--symbol", required=True, metavar="SYMBOL", help="what is traded, such as BTC-PERP")
    margin.add_argument("--side", required=True, choices=("long", "short"), help="which way")
    margin.add_argument("--entry", required=True, metavar="PRICE", help="the price it is opened at")
    margin.add_argument("--quantity", required=True, metavar="Q", help="how much of it")
    margin.add_argument(
        "--leverage",
        type=_parse_leverage,
        metavar="N",
        help="notional over initial margin (default: that of the symbol, or the most of the tier)",
    )
    margin.add_argument(
        "--mode", choices=("cross", "isolated", "both"), default="both", help="which margin mode to show (default: both)"
    )
    margin.add_argument(
        "--wallet", metavar="USD", help="money in the cross wallet before the fee (default: just what opens the position)"
    )
    margin.add_argument(
        "--margin", metavar="USD", help="what the isolated wallet holds (default: what opening moves there, one initial margin)"
    )
    margin.add_argument("--mark", metavar="PRICE", help="the mark to look at it at (default: the entry price)")
    margin.add_argument("--config", type=Path, metavar="FILE", help="config over the defaults (default: config/sandbox.toml)")
    add_profile_option(margin, "reckon by the margin rules of another venue, such as binance (default: those of the config)")
    margin.add_argument("--svg", type=Path, metavar="FILE", help="write a picture of its health over the mark, too")
    margin.add_argument("--json", action="store_true", help="print JSON instead of the table")
    margin.set_defaults(run=_run, parser=margin)


def _run(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from exchange.app.margin_calculator import OptionRefused, run_margin

    names = MarginOptions.__dataclass_fields__
    try:
        return run_margin(MarginOptions(**{name: getattr(parsed, name) for name in names}))
    except OptionRefused as refused:
        parser.error(str(refused))


def _parse_leverage(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LEVERAGE_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no leverage; give a whole number from 1 to {LEVERAGE_MAX}")
    return int(text)
