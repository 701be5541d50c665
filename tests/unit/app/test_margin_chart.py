"""The picture of a position's health: sound XML that needs nothing else, with the calculator's prices where they belong."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from exchange.app.cli import main
from exchange.app.margin_calculator import MarginStudy, study_margin
from exchange.app.margin_chart import draw_health
from exchange.app.options import MarginOptions
from exchange.app.svg_plot import Label, Scale, in_lanes, pixel, round_values

SVG = "{http://www.w3.org/2000/svg}"


def study(**changes: str | int) -> MarginStudy:
    given: dict[str, str | int] = {"symbol": "BTC-PERP", "side": "long", "entry": "60000", "quantity": "1", "leverage": 10}
    return study_margin(MarginOptions(**given | changes))  # type: ignore[arg-type]


CASES = {
    "a long": study(wallet="10000"),
    "a short": study(side="short", wallet="10000", mark="61000"),
    "no wallet told": study(),
    "cross alone": study(mode="cross", wallet="20000"),
    "isolated alone": study(mode="isolated", margin="9000", mark="58000"),
    "no liquidation price": study(wallet="100000", mark="54300"),
    "liquidated in isolated": study(wallet="10000", mark="54100"),
    "bankrupt in both": study(mark="40000"),
    "very far away": study(side="short", wallet="400000"),
    "across tiers": study(quantity="30", leverage=50, wallet="60000", mark="59900"),
    "rules measured at entry": study(wallet="10000", profile="bybit"),
}


def root_of(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)


def lines_of(picture: str, kind: str) -> list[ElementTree.Element]:
    return [each for each in root_of(picture).iter(f"{SVG}line") if each.get("class") == kind]


@pytest.mark.parametrize("shown", CASES.values(), ids=CASES)
def test_the_marked_prices_are_those_of_the_calculator(shown: MarginStudy) -> None:
    picture, grid = draw_health(shown), shown.plan.instrument.price_grid
    (now,) = lines_of(picture, "now")
    assert now.get("data-price") == grid.format(shown.mark_price)
    entries = [line.get("data-price") for line in lines_of(picture, "entry")]
    assert entries == ([] if shown.mark_price == shown.plan.entry_price else [grid.format(shown.plan.entry_price)])
    for each in shown.pictures:
        for kind, at in (("liquidation", each.liquidation_price), ("bankruptcy", each.bankruptcy_price)):
            marked = [line.get("data-price") for line in lines_of(picture, f"at {kind} {each.mode.value}")]
            if at is None or at > 4 * shown.mark_price:
                assert marked == []
            elif kind == "bankruptcy" or not each.is_liquidated:
                assert marked == [grid.format(at)]


@pytest.mark.parametrize("shown", CASES.values(), ids=CASES)
def test_everything_drawn_lies_on_the_page_and_prices_lie_in_order(shown: MarginStudy) -> None:
    root = root_of(draw_health(shown))
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    for each in root.iter():
        places = [(each.get("x1"), each.get("y1")), (each.get("x2"), each.get("y2")), (each.get("x"), each.get("y"))]
        places += [tuple(point.split(",")) for point in (each.get("points") or "").split()]  # type: ignore[misc]
        for x, y in places:
            assert x is None or 0 <= float(x) <= width
            assert y is None or 0 <= float(y) <= height
    upright = [
        (float(line.attrib["data-price"]), float(line.attrib["x1"]))
        for line in root.iter(f"{SVG}line")
        if line.get("data-price")
    ]
    assert [x for _, x in sorted(upright)] == sorted(x for _, x in upright)


@pytest.mark.parametrize("shown", CASES.values(), ids=CASES)
def test_the_picture_needs_nothing_but_itself_and_is_the_same_bytes_each_time(shown: MarginStudy) -> None:
    picture = draw_health(shown)
    assert draw_health(shown) == picture
    root = root_of(picture)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        "svg", "title", "desc", "style", "rect", "g", "line", "text", "polyline", "polygon", "circle",
    } - (set() if list(root.iter(f"{SVG}circle")) else {"circle"})  # fmt: skip
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import|<script|\son[a-z]+=|href", picture)
    assert "prefers-color-scheme: dark" in picture
    assert (root.attrib["role"], root[0].tag, root[1].tag) == ("img", f"{SVG}title", f"{SVG}desc")


def test_liquidation_lies_where_equity_meets_maintenance() -> None:
    shown = CASES["a long"]
    root = root_of(draw_health(shown))
    for mode in ("cross", "isolated"):
        (curve,) = (each for each in root.iter(f"{SVG}polyline") if each.get("class") == f"curve {mode}" and is_equity(each))
        (danger,) = (each for each in root.iter(f"{SVG}polyline") if each.get("class") == "curve danger")
        end_x, end_y = map(float, curve.attrib["points"].split()[-1].split(","))
        (line,) = (each for each in root.iter(f"{SVG}line") if each.get("class") == f"at liquidation {mode}")
        assert float(line.attrib["x1"]) == end_x
        heights = [float(point.split(",")[1]) for point in danger.attrib["points"].split()]
        assert min(heights) - 0.1 <= end_y <= max(heights) + 0.1


def is_equity(curve: ElementTree.Element) -> bool:
    """A straight line has two ends; a margin ratio has many points."""
    return len(curve.attrib["points"].split()) == 2


def test_axes_are_labelled_at_round_numbers_and_the_legend_names_what_is_drawn() -> None:
    texts = [each.text for each in root_of(draw_health(CASES["a long"])).iter(f"{SVG}text")]
    for expected in (
        "BTC-PERP: health over the mark",
        "long 1 BTC-PERP at 60000.0, leverage 10, mark 60000.0",
        "cross: equity 9,970.00, ratio 2.51 %",
        "isolated: equity 6,000.00, ratio 4.17 %",
        "maintenance margin",
        "entry and mark 60000.0",
        "cross liquidation 50231.2",
        "isolated bankruptcy 54000.0",
        "50,000",
        "10,000",
        "100 %",
    ):
        assert expected in texts


def test_the_command_writes_the_picture_beside_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "health.svg"
    arguments = ["margin", "--symbol=BTC-PERP", "--side=long", "--entry=60000", "--quantity=1", "--leverage=10"]
    assert main([*arguments, "--wallet=10000", "--svg", str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"picture: {path}\n")
    assert path.read_text(encoding="utf-8") == draw_health(CASES["a long"])


# -- the parts of a chart ------------------------------------------------------------------------------------------------


def test_round_values_are_multiples_of_one_two_or_five_times_a_power_of_ten() -> None:
    assert round_values(0, 12_600, 8) == [0, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000]
    assert round_values(97, 131, 8) == [100, 105, 110, 115, 120, 125, 130]
    assert round_values(-3, 3, 6) == [-3, -2, -1, 0, 1, 2, 3]
    assert round_values(0, 94, 1) == [0]


def test_pixels_have_at_most_two_decimals_and_scales_may_run_upward() -> None:
    assert [pixel(Scale(0, 3, 100, 0).at(value)) for value in range(4)] == ["100", "66.67", "33.33", "0"]
    assert [pixel(Scale(0, 8, 0, 1).at(value)) for value in (1, -1, -4)] == ["0.13", "-0.12", "-0.5"]


def test_labels_that_would_meet_are_put_into_lanes_and_those_at_the_side_are_moved_in() -> None:
    near = [Label("first label", Scale(0, 1, 0, 1).at(at), "middle", "") for at in (100, 110, 300)]
    placed = in_lanes([*near, Label("at the side", near[0].x * 10, "start", "")], 0, 500)
    assert [each.lane for each in placed] == [0, 1, 0, 0]
    assert placed[-1].left + len("at the side") * 6 < 500
