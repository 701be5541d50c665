"""``ringfence margin``: one position, its margins and prices in both modes, as a table, JSON or a picture."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from clients.risk import MarginPicture, PlanRefused, PositionPlan, least_wallet, parse_price, picture_cross, picture_isolated
from exchange.app.exit_codes import EXIT_DONE, EXIT_FAILED
from exchange.app.options import MarginOptions
from exchange.composition.profiles import DEFAULT_PROFILE
from exchange.composition.settings import Settings, load_settings
from exchange.domain.enums import MarginMode
from exchange.domain.instrument import Instrument, under_policy
from exchange.domain.units import CASH_MAX, Cash, Ppm, Ticks, format_cash, parse_cash

_OPTIONS = {
    "symbol": "--symbol",
    "side": "--side",
    "entry_price": "--entry",
    "quantity": "--quantity",
    "leverage": "--leverage",
    "wallet": "--wallet",
    "margin": "--margin",
    "mark_price": "--mark",
}


class OptionRefused(Exception):  # noqa: N818
    """An option asks for what cannot be: the sentence names it, the limit and what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"argument {_OPTIONS[field]}: {sentence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginStudy:
    """What was asked and what came out. Units: ``mark_price`` ticks, ``wallet`` cash, ``margin_call_levels`` ppm.

    ``wallet`` is that of the cross wallet before the fee, and ``is_wallet_given`` whether it was asked for.
    """

    plan: PositionPlan
    mark_price: Ticks
    wallet: Cash
    is_wallet_given: bool
    pictures: tuple[MarginPicture, ...]
    margin_call_levels: tuple[Ppm, ...]
    config: str
    profile: str


def run_margin(options: MarginOptions) -> int:
    """Print the calculation, write the picture if asked to, and return the exit code.

    Raises ``OptionRefused`` for a position that no venue takes, ``ConfigError`` for a config or profile that cannot be used.
    """
    study = study_margin(options)
    if options.svg is not None:
        from exchange.app.margin_chart import draw_health

        try:
            options.svg.write_text(draw_health(study), encoding="utf-8")
        except OSError as error:
            print(f"ringfence: {_file_sentence(options.svg, error)}", file=sys.stderr)
            return EXIT_FAILED
    from exchange.app.margin_report import format_json, format_table

    print(format_json(study) if options.json else format_table(study, options.svg))
    return EXIT_DONE


def study_margin(options: MarginOptions) -> MarginStudy:
    """Return what the options ask for, calculated; errors as in ``run_margin``."""
    profile = options.profile or DEFAULT_PROFILE
    settings = load_settings(options.config, profile=profile)
    try:
        return _study(options, settings, profile)
    except PlanRefused as refused:
        raise OptionRefused(refused.field, refused.sentence) from None


def _study(options: MarginOptions, settings: Settings, profile: str) -> MarginStudy:
    instrument = under_policy(_instrument(options.symbol, settings), settings.policy)
    plan = PositionPlan.parse(
        instrument, side=options.side, quantity=options.quantity, entry_price=options.entry, leverage=options.leverage
    )
    mark = plan.entry_price if options.mark is None else parse_price(instrument, "mark_price", options.mark)
    margin = None if options.margin is None else _money("margin", options.margin)
    given = None if options.wallet is None else _money("wallet", options.wallet)
    wallet = max(least_wallet(plan), plan.opening_fee + (margin or 0)) if given is None else given
    if margin is not None and options.mode == MarginMode.CROSS.value:
        raise OptionRefused("margin", "it is the wallet of an isolated position; leave it out, or choose another --mode")
    pictures: list[MarginPicture] = []
    if options.mode != MarginMode.ISOLATED.value:
        pictures.append(picture_cross(plan, wallet=wallet, mark_price=mark))
    if options.mode != MarginMode.CROSS.value:
        pictures.append(picture_isolated(plan, mark_price=mark, margin=margin, wallet=given))
    return MarginStudy(
        plan=plan,
        mark_price=mark,
        wallet=wallet,
        is_wallet_given=given is not None,
        pictures=tuple(pictures),
        margin_call_levels=settings.policy.margin_call_levels,
        config=settings.source,
        profile=profile,
    )


def _instrument(symbol: str, settings: Settings) -> Instrument:
    for instrument in settings.instruments:
        if instrument.symbol == symbol:
            return instrument
    known = ", ".join(instrument.symbol for instrument in settings.instruments)
    raise OptionRefused("symbol", f"{symbol!r} is not in {settings.source}; it has {known}")


def _money(field: str, text: str) -> Cash:
    try:
        amount = parse_cash(text)
    except ValueError as error:
        raise OptionRefused(field, f"{text!r} is no amount: {error}") from None
    if amount < 0:
        raise OptionRefused(field, f"{text} is below 0; give the money that is there")
    if amount > CASH_MAX:
        raise OptionRefused(field, f"{text} is above {format_cash(CASH_MAX)}, the most that one deposit may be; lower it")
    return amount


def _file_sentence(path: Path, error: OSError) -> str:
    return f"the picture {path} cannot be written ({error.strerror or error}); check the path given with --svg"
