"""A picture of a position's health over the mark: what is left of its wallet, and its margin ratio, in each mode."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from clients.risk import MarginPicture, picture_cross, picture_isolated
from exchange.app import svg_plot as svg
from exchange.app.margin_calculator import MarginStudy
from exchange.app.margin_report import headline, money, percent, price
from exchange.app.svg_plot import Scale
from exchange.domain.enums import MarginMode
from exchange.domain.units import PPM, Cash, Ticks, format_decimal

WIDTH = 960
LEFT, RIGHT = 92, 932
LANES_TOP, LANE = 84, 18
MONEY_HEIGHT, RATIO_HEIGHT = 280, 150
BETWEEN, BELOW = 28, 58
RATIO_POINTS = 96
CENT: Cash = 10_000
FAR = 4
"""A price more than this many times the mark, or less than that part of it, is told in the legend and not drawn."""

STYLE = """\
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #374151 }
.page { fill: #ffffff }
.head { font-size: 18px; font-weight: 600; fill: #111827 }
.soft { fill: #6b7280 }
.grid { stroke: #e5e7eb; stroke-width: 1 }
.axis { stroke: #9ca3af; stroke-width: 1 }
.curve { fill: none; stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round }
.closing { stroke-dasharray: 2 5 }
.tint { fill-opacity: 0.06 }
.at { stroke-width: 1.25 }
.liquidation { stroke-dasharray: 6 4 }
.bankruptcy { stroke-dasharray: 1.5 3.5 }
.now { stroke: #4b5563; stroke-width: 1.25 }
.entry { stroke: #9ca3af; stroke-width: 1.25; stroke-dasharray: 8 3 2 3 }
line.cross, polyline.cross { stroke: #2563eb } polygon.cross, circle.cross { fill: #2563eb } text.cross { fill: #1d4ed8 }
line.isolated, polyline.isolated { stroke: #d97706 } polygon.isolated, circle.isolated { fill: #d97706 }
text.isolated { fill: #b45309 }
line.danger, polyline.danger { stroke: #dc2626; stroke-width: 1.75 } polygon.danger { fill: #dc2626; fill-opacity: 0.12 }
text.danger { fill: #b91c1c }
line.call { stroke: #dc2626; stroke-opacity: 0.35; stroke-dasharray: 3 4 }
circle { stroke: #ffffff; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d5db } .page { fill: #0f172a } .head { fill: #f9fafb } .soft { fill: #94a3b8 }
  .grid { stroke: #1f2a3d } .axis { stroke: #64748b } .now { stroke: #cbd5e1 } .entry { stroke: #64748b }
  line.cross, polyline.cross { stroke: #60a5fa } polygon.cross, circle.cross { fill: #60a5fa } text.cross { fill: #93c5fd }
  line.isolated, polyline.isolated { stroke: #fbbf24 } polygon.isolated, circle.isolated { fill: #fbbf24 }
  text.isolated { fill: #fcd34d }
  line.danger, polyline.danger { stroke: #f87171 } polygon.danger { fill: #f87171 } text.danger { fill: #fca5a5 }
  circle { stroke: #0f172a }
}"""


class _Curve(NamedTuple):
    """One mode as it is drawn: its picture at the mark, and where it is liquidated and bankrupt on the axis, if at all."""

    picture: MarginPicture
    liquidation: Ticks | None
    bankruptcy: Ticks | None

    @property
    def name(self) -> str:
        return self.picture.mode.value


class _Frame(NamedTuple):
    """Where everything is: the mark on the horizontal axis, money and margin ratio on two upright ones."""

    mark: Scale
    money: Scale
    ratio: Scale


def draw_health(study: MarginStudy) -> str:
    """Return the picture as SVG: self-contained, the same bytes for the same study, readable on light and on dark."""
    curves = [_curve(study, picture) for picture in study.pictures]
    marks = _mark_scale(study, curves)
    labels = svg.in_lanes(_labels(study, curves, marks), LEFT, RIGHT)
    top = LANES_TOP + LANE * (max(label.lane for label in labels) + 1) + 10
    bottom = top + MONEY_HEIGHT
    most = max(each.picture.wallet + study.plan.profit_at(end) for each in curves for end in (marks.low, marks.high))
    frame = _Frame(
        marks,
        Scale(0, most * 21 // 20 + 1, bottom, top),
        Scale(0, PPM, bottom + BETWEEN + RATIO_HEIGHT, bottom + BETWEEN),
    )
    content = [
        svg.element("rect", class_="page", width="100%", height="100%"),
        *_head(study, curves),
        *_axes(study, frame),
        *_maintenance(study, frame),
        *(part for each in curves for part in _equity(study, frame, each)),
        *(part for each in curves for part in _ratio(study, frame, each)),
        *_prices(study, frame, curves, labels, top),
        *(part for each in curves for part in _dots(study, frame, each)),
    ]
    height = frame.ratio.start + BELOW
    title = f"Health over the mark: {headline(study)}"
    return svg.document(WIDTH, height, title, _description(study), STYLE, content)


def _curve(study: MarginStudy, picture: MarginPicture) -> _Curve:
    """Return where a mode is liquidated: seen from entry, where it is healthy, should the mark be beyond already."""
    plan, shown = study.plan, picture
    if picture.is_liquidated and picture.mode is MarginMode.CROSS:
        shown = picture_cross(plan, wallet=study.wallet, mark_price=plan.entry_price)
    elif picture.is_liquidated:
        shown = picture_isolated(plan, mark_price=plan.entry_price, margin=picture.wallet)
    return _Curve(picture, _near(study, shown.liquidation_price), _near(study, picture.bankruptcy_price))


def _near(study: MarginStudy, at: Ticks | None) -> Ticks | None:
    return at if at is not None and study.mark_price <= at * FAR and at <= study.mark_price * FAR else None


def _mark_scale(study: MarginStudy, curves: list[_Curve]) -> Scale:
    told = [study.mark_price, study.plan.entry_price]
    told += [at for each in curves for at in (each.liquidation, each.bankruptcy) if at is not None]
    span = max(max(told) - min(told), study.mark_price // 20, 10)
    return Scale(max(1, min(told) - span // 4), max(told) + span // 4 + 1, LEFT, RIGHT)


def _labels(study: MarginStudy, curves: list[_Curve], marks: Scale) -> list[svg.Label]:
    """Return a label for each price that is marked; two modes that share one share its label.

    A liquidation price is told on the side of the mark, a bankruptcy price on the other, so that the two do not meet.
    """
    plan, mark, entry = study.plan, study.mark_price, study.plan.entry_price
    told = [("mark", mark, "plain", "middle"), ("entry", entry, "soft", "middle")]
    if mark == entry:
        told = [("entry and mark", mark, "plain", "middle")]
    sides = ("start", "end") if plan.sign > 0 else ("end", "start")
    for kind, anchor in zip(("liquidation", "bankruptcy"), sides, strict=True):
        at = [(each.name, place) for each in curves if (place := getattr(each, kind)) is not None]
        if len(at) == len(curves) > 1 and len({place for _, place in at}) == 1:
            told.append((f"{kind} in both", at[0][1], "danger", anchor))
        else:
            told += [(f"{name} {kind}", place, name, anchor) for name, place in at]
    return [svg.Label(f"{words} {price(plan, at)}", marks.at(at), anchor, kind) for words, at, kind, anchor in told]


def _head(study: MarginStudy, curves: list[_Curve]) -> list[str]:
    """Return the title and the legend, which also tells what does not fit on the axis."""
    parts = [svg.text(f"{study.plan.instrument.symbol}: health over the mark", LEFT, 34, class_="head")]
    parts.append(svg.text(headline(study), RIGHT, 34, class_="soft", text_anchor="end"))
    x = LEFT
    for each in curves:
        words = f"{each.name}: equity {_cents(each.picture.equity)}, {_state(each.picture)}"
        if each.liquidation is None:
            words += f", liquidation {price(study.plan, each.picture.liquidation_price)}"
        parts.append(svg.line(x, 57, x + 22, 57, class_=f"curve {each.name}"))
        parts.append(svg.text(words, x + 29, 61))
        x += 29 + int(len(words) * svg.CHARACTER_WIDTH) + 16
    parts.append(svg.line(x, 57, x + 22, 57, class_="curve danger"))
    parts.append(svg.text("maintenance margin", x + 29, 61))
    return [svg.group(parts, class_="legend")]


def _state(picture: MarginPicture) -> str:
    if picture.is_liquidated or picture.margin_ratio is None:
        return "liquidated"
    return f"ratio {percent(-(-picture.margin_ratio // 100) * 100)}"


def _cents(amount: Cash) -> str:
    """Return money to the cent, rounded down: the table has all of it."""
    return money(amount // CENT * CENT)


def _axes(study: MarginStudy, frame: _Frame) -> list[str]:
    """Return grid lines at round numbers with their labels, and what each axis is."""
    grid = study.plan.instrument.price_grid
    parts: list[str] = []
    top, middle, bottom = frame.money.end, frame.money.start, frame.ratio.start
    for value in svg.round_values(frame.mark.low * grid.step, frame.mark.high * grid.step, 9):
        x = frame.mark.at(Fraction(value, grid.step))
        parts.append(svg.line(x, top, x, middle, class_="grid"))
        parts.append(svg.line(x, frame.ratio.end, x, bottom, class_="grid"))
        parts.append(svg.text(_thousands(format_decimal(value, grid.decimals)), x, bottom + 18, text_anchor="middle"))
    for value in svg.round_values(0, frame.money.high, 8):
        y = frame.money.at(value)
        parts.append(svg.line(LEFT, y, RIGHT, y, class_="grid" if value else "axis"))
        parts.append(svg.text(_thousands(money(value).removesuffix(".00")), LEFT - 10, y + 4, text_anchor="end"))
    for value in range(0, PPM + 1, PPM // 4):
        y = frame.ratio.at(value)
        parts.append(svg.line(LEFT, y, RIGHT, y, class_="grid" if value else "axis"))
        parts.append(svg.text(percent(value), LEFT - 10, y + 4, text_anchor="end"))
    for level in study.margin_call_levels:
        y = frame.ratio.at(level)
        parts.append(svg.line(LEFT, y, RIGHT, y, class_="call"))
    parts.append(svg.line(LEFT, frame.ratio.end, RIGHT, frame.ratio.end, class_="danger"))
    parts.append(_upright("equity (USD)", (top + middle) // 2))
    parts.append(_upright("margin ratio", (frame.ratio.end + bottom) // 2))
    parts.append(svg.text("mark price (USD)", RIGHT, bottom + 42, class_="soft", text_anchor="end"))
    return [svg.group(parts, class_="axes")]


def _upright(words: str, y: int) -> str:
    """Return the name of an upright axis, written upward beside it."""
    return svg.text(words, 0, 0, class_="soft", text_anchor="middle", transform=f"translate(22 {y}) rotate(-90)")


def _thousands(text: str) -> str:
    whole, point, fraction = text.replace(",", "").partition(".")
    return f"{int(whole):,}{point}{fraction}"


def _maintenance(study: MarginStudy, frame: _Frame) -> list[str]:
    """Return maintenance over the mark; it bends where a tier begins."""
    plan, scale = study.plan, frame.mark
    size = plan.quantity * plan.instrument.cash_per_tick_lot
    bends = [-(-tier.notional_floor // size) for tier in plan.instrument.tiers]
    ticks = [scale.low, *(at for at in bends if scale.low < at < scale.high), scale.high]
    places = [(scale.at(at), frame.money.at(min(plan.maintenance_at(at), frame.money.high))) for at in ticks]
    floor = Fraction(frame.money.start)
    filled = [(places[0][0], floor), *places, (places[-1][0], floor)]
    return [svg.group([svg.area(filled, class_="danger"), svg.curve(places, class_="curve danger")], class_="maintenance")]


def _equity(study: MarginStudy, frame: _Frame, curve: _Curve) -> list[str]:
    """Return a mode's equity over the mark: whole while healthy, dotted between liquidation and bankruptcy."""
    wallet, scale, plan = curve.picture.wallet, frame.mark, study.plan
    winning, losing = (scale.high, scale.low) if plan.sign > 0 else (scale.low, scale.high)
    end = losing if curve.liquidation is None else curve.liquidation
    healthy = [_place(study, frame, wallet, at) for at in (winning, end)]
    floor = Fraction(frame.money.start)
    parts = [svg.area([*healthy, (healthy[1][0], floor), (healthy[0][0], floor)], class_=f"tint {curve.name}")]
    parts.append(svg.curve(healthy, class_=f"curve {curve.name}"))
    if curve.liquidation is not None and curve.bankruptcy is not None:
        spent = [healthy[1], _place(study, frame, wallet, curve.bankruptcy)]
        parts.append(svg.curve(spent, class_=f"curve closing {curve.name}"))
    return [svg.group(parts, class_=f"equity {curve.name}")]


def _place(study: MarginStudy, frame: _Frame, wallet: Cash, at: Ticks) -> tuple[Fraction, Fraction]:
    return frame.mark.at(at), frame.money.at(max(0, wallet + study.plan.profit_at(at)))


def _ratio(study: MarginStudy, frame: _Frame, curve: _Curve) -> list[str]:
    """Return a mode's margin ratio over the marks at which it is healthy."""
    plan, scale = study.plan, frame.mark
    low, high = scale.low, scale.high
    if curve.liquidation is not None:
        low, high = (curve.liquidation, high) if plan.sign > 0 else (low, curve.liquidation)
    ticks = sorted({low + (high - low) * part // RATIO_POINTS for part in range(RATIO_POINTS + 1)})
    places: list[tuple[Fraction, Fraction]] = []
    for at in ticks:
        equity, maintenance = curve.picture.wallet + plan.profit_at(at), plan.maintenance_at(at)
        if equity > 0 and maintenance <= equity:
            places.append((scale.at(at), frame.ratio.at(Fraction(maintenance * PPM, equity))))
    return [svg.group([svg.curve(places, class_=f"curve {curve.name}")], class_=f"ratio {curve.name}")]


def _prices(study: MarginStudy, frame: _Frame, curves: list[_Curve], labels: list[svg.Placed], top: int) -> list[str]:
    """Return the marked prices as upright lines with their labels; each line tells its price as ``data-price``."""
    plan, bottom = study.plan, frame.ratio.start
    lines: list[tuple[str, Ticks]] = [("now", study.mark_price)]
    if study.mark_price != plan.entry_price:
        lines.append(("entry", plan.entry_price))
    for each in curves:
        lines += [
            (f"at {kind} {each.name}", at)
            for kind, at in (("bankruptcy", each.bankruptcy), ("liquidation", each.liquidation))
            if at is not None
        ]
    grid = plan.instrument.price_grid
    parts = []
    for kind, at in lines:
        x = frame.mark.at(at)
        parts.append(svg.line(x, top - 8, x, bottom, class_=kind, data_price=grid.format(at)))
    parts += [svg.text(label.content, label.left, top - 14 - LANE * label.lane, class_=label.kind) for label in labels]
    return [svg.group(parts, class_="prices")]


def _dots(study: MarginStudy, frame: _Frame, curve: _Curve) -> list[str]:
    """Return where a mode stands now, on both curves, and where it is liquidated."""
    picture, parts = curve.picture, []
    now = frame.mark.at(study.mark_price)
    if not picture.is_liquidated and picture.margin_ratio is not None:
        parts.append(_dot(now, frame.money.at(picture.equity), curve.name))
        parts.append(_dot(now, frame.ratio.at(Fraction(picture.maintenance_margin * PPM, picture.equity)), curve.name))
    if curve.liquidation is not None:
        equity = max(0, picture.wallet + study.plan.profit_at(curve.liquidation))
        parts.append(_dot(frame.mark.at(curve.liquidation), frame.money.at(equity), curve.name))
    return [svg.group(parts, class_=f"dots {curve.name}")]


def _dot(x: Fraction, y: Fraction, name: str) -> str:
    return svg.element("circle", cx=svg.pixel(x), cy=svg.pixel(y), r="4.5", class_=name)


def _description(study: MarginStudy) -> str:
    """Return in words what the picture shows, for those who cannot see it."""
    told = []
    for picture in study.pictures:
        liquidation = (
            "liquidated at this mark"
            if picture.is_liquidated
            else f"liquidation {price(study.plan, picture.liquidation_price)}"
        )
        told.append(
            f"{picture.mode.value}: equity {money(picture.equity)}, maintenance margin {money(picture.maintenance_margin)}, "
            f"{liquidation}, bankruptcy {price(study.plan, picture.bankruptcy_price)}."
        )
    return " ".join(told)
