"""The few parts of a chart as SVG text, placed by whole numbers and fractions, so that the same chart is the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

CHARACTER_WIDTH = Fraction(34, 5)
"""About how wide a character of a 12 pixel label is: enough to keep labels apart without measuring fonts."""
LABEL_GAP = 5


class Scale(NamedTuple):
    """Where values lie between two pixels; ``start`` may be below ``low``'s pixel, as it is on an upright axis."""

    low: int
    high: int
    start: int
    end: int

    def at(self, value: int | Fraction) -> Fraction:
        """Return the pixel of a value."""
        return self.start + Fraction(value - self.low) * (self.end - self.start) / (self.high - self.low)


class Label(NamedTuple):
    """A text that belongs to a place on the horizontal axis: before, on or after it as ``anchor`` says.

    ``anchor`` is that of SVG: ``end``, ``middle`` or ``start``.
    """

    content: str
    x: Fraction
    anchor: str
    kind: str


class Placed(NamedTuple):
    """A label moved within the chart, and the lane, counted from the lowest, that keeps it off the others."""

    content: str
    left: Fraction
    kind: str
    lane: int


def pixel(place: int | Fraction) -> str:
    """Return a coordinate with at most two decimals, a half rounded up."""
    hundredths = (place * 200 + 1) // 2
    sign, hundredths = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
    whole, rest = divmod(hundredths, 100)
    return f"{sign}{whole}.{rest:02d}".rstrip("0").rstrip(".")


def round_values(low: int, high: int, about: int) -> list[int]:
    """Return about as many round values (multiples of 1, 2 or 5 times a power of ten) within the two, ascending."""
    wanted, step = max(1, (high - low) // about), 1
    while step * 10 <= wanted:
        step *= 10
    step = next(step * times for times in (1, 2, 5, 10) if step * times >= wanted)
    return list(range(-(-low // step) * step, high + 1, step))


def element(name: str, **attributes: object) -> str:
    """Return an empty element; ``class_`` and names with ``_`` become ``class`` and names with ``-``."""
    return f"<{name}{_written(attributes)}/>"


def group(content: Iterable[str], **attributes: object) -> str:
    """Return a group of elements, one a line."""
    return "\n".join([f"<g{_written(attributes)}>", *content, "</g>"])


def text(content: str, x: int | Fraction, y: int | Fraction, **attributes: object) -> str:
    """Return a text that begins, is centered or ends at a place, as ``text_anchor`` says."""
    return f"<text{_written({'x': pixel(x), 'y': pixel(y), **attributes})}>{escape(content)}</text>"


def line(x1: int | Fraction, y1: int | Fraction, x2: int | Fraction, y2: int | Fraction, **attributes: object) -> str:
    """Return a straight line."""
    return element("line", x1=pixel(x1), y1=pixel(y1), x2=pixel(x2), y2=pixel(y2), **attributes)


def curve(places: Sequence[tuple[Fraction, Fraction]], **attributes: object) -> str:
    """Return a line through places."""
    return element("polyline", points=_points(places), **attributes)


def area(places: Sequence[tuple[Fraction, Fraction]], **attributes: object) -> str:
    """Return a filled shape with corners at places."""
    return element("polygon", points=_points(places), **attributes)


def in_lanes(labels: Sequence[Label], left: int, right: int) -> list[Placed]:
    """Return the labels in lanes, so that none covers another; one that would leave the chart is moved inward."""
    placed: list[Placed] = []
    ends: list[Fraction] = []
    for label in sorted(labels, key=lambda each: (each.x, each.anchor, each.content)):
        width = len(label.content) * CHARACTER_WIDTH
        start = {"end": label.x - width - LABEL_GAP, "middle": label.x - width / 2, "start": label.x + LABEL_GAP}[label.anchor]
        start = max(Fraction(left), min(start, right - width))
        lane = next((number for number, end in enumerate(ends) if end + 2 * LABEL_GAP <= start), len(ends))
        ends[lane : lane + 1] = [start + width]
        placed.append(Placed(label.content, start, label.kind, lane))
    return placed


def document(width: int, height: int, title: str, description: str, style: str, content: Iterable[str]) -> str:
    """Return a whole picture that needs nothing but itself."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>\n{style}\n</style>",
            *content,
            "</svg>\n",
        ]
    )


def _points(places: Sequence[tuple[Fraction, Fraction]]) -> str:
    return " ".join(f"{pixel(x)},{pixel(y)}" for x, y in places)


def _written(attributes: dict[str, object]) -> str:
    return "".join(f" {name.rstrip('_').replace('_', '-')}={quoteattr(str(value))}" for name, value in attributes.items())
