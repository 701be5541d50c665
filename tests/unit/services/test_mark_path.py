"""Marks of every symbol on one clock, from files and from the scenario."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.units import PRICE_TICKS_MAX, Grid
from exchange.services.exact_price import nearest_tick, parse_price, price_of_ticks, round_half_even
from exchange.services.mark_file import Bar, MarkFile, MarkFileError, read_mark_file
from exchange.services.mark_path import MarkPath, build_mark_path
from exchange.services.mark_window import WINDOW_MS, Window, format_utc, parse_utc
from exchange.services.scenario import Scenario, ScenarioPath, Waypoint, load_scenario

CHECKOUT = Path(__file__).resolve().parents[3]
DATA = CHECKOUT.parent / "shared" / "data"
SCENARIO_FILE = CHECKOUT / "config" / "scenarios" / "crash_2025_10_10.toml"
MINUTE = 60_000
T0 = 1_760_126_400_000


def instrument(symbol: str, tick: Grid, initial_mark: int | None = None) -> Instrument:
    return Instrument(
        symbol=symbol,
        price_grid=tick,
        quantity_grid=Grid(1, 0),
        cash_per_tick_lot=1,
        tiers=build_tiers([TierRow(0, 5_000, 100)]),
        default_leverage=10,
        maker_fee=0,
        taker_fee=0,
        liquidation_fee=0,
        price_band=100_000,
        market_protection=50_000,
        notional_min=0,
        quantity_max=1_000,
        initial_mark_price=initial_mark,
    )


TENTH, CENT = Grid(1, 1), Grid(1, 2)


def mark_file(prices: list[str], start_ms: int = T0, bar_ms: int = MINUTE, name: str = "m.csv") -> MarkFile:
    bars = tuple(Bar(start_ms + index * bar_ms, *[parse_price(price)] * 4) for index, price in enumerate(prices))
    return MarkFile(name, bars, bar_ms)


def scenario(*paths: tuple[str, list[str]], step_ms: int = 1_000) -> Scenario:
    """A scenario without noise whose waypoints are ten steps apart."""
    length = 10 * step_ms * (len(paths[0][1]) - 1)
    return Scenario(
        name="test",
        description="waypoints of a test",
        window=Window(0, length),
        step_ms=step_ms,
        bridge_volatility=0,
        paths=tuple(
            ScenarioPath(
                symbol,
                "this test",
                tuple(Waypoint(10 * step_ms * place, parse_price(price)) for place, price in enumerate(prices)),
            )
            for symbol, prices in paths
        ),
    )


FLAT = scenario(("X", ["1", "1"]))


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(4, 2, 2), (5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (7, 3, 2), (8, 3, 3), (0, 7, 0)],
)
def test_rounding_takes_the_nearest_and_a_tie_the_even_one(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_even(numerator, denominator) == rounded


def test_a_price_goes_to_the_nearest_tick_also_when_the_tick_is_coarse() -> None:
    assert nearest_tick(parse_price("123.45"), TENTH) == 1_234
    assert nearest_tick(parse_price("123.4500001"), TENTH) == 1_235
    assert nearest_tick(parse_price("112.5"), Grid(25, 0)) == 4
    assert price_of_ticks(4, Grid(25, 0)) == parse_price("100")


@pytest.mark.parametrize("price", ["0.05", "0.01", "999999999999999"])
def test_a_price_outside_the_range_of_marks_is_refused(price: str) -> None:
    with pytest.raises(ValueError, match=f"a mark lies between 1 and {PRICE_TICKS_MAX} ticks"):
        nearest_tick(parse_price(price), TENTH)


def test_the_last_price_is_carried_forward_and_the_first_one_back() -> None:
    file = mark_file(["10", "20", "30"], start_ms=T0 + 2 * MINUTE)
    path = build_mark_path(
        [instrument("A", TENTH)], FLAT, files={"A": file}, window=Window(T0, T0 + 7 * MINUTE), step_ms=MINUTE
    )
    assert path.ticks["A"] == (100, 100, 100, 200, 300, 300, 300, 300)
    assert path.times_ms == tuple(range(T0, T0 + 7 * MINUTE + 1, MINUTE))


def test_every_symbol_stands_on_one_clock_of_five_seconds() -> None:
    files = {"A": mark_file(["10", "5"] * 30), "B": mark_file(["2", "1.999"] * 1_000, bar_ms=1_700, name="b.csv")}
    path = build_mark_path([instrument("A", TENTH), instrument("B", CENT)], FLAT, files=files)
    assert {later - earlier for earlier, later in pairwise(path.times_ms)} == {5_000}
    assert {len(ticks) for ticks in path.ticks.values()} == {len(path.times_ms)} == {601}
    assert path.window.to_ms - path.window.from_ms == WINDOW_MS


def test_a_symbol_without_a_file_follows_its_scenario_path_from_its_own_initial_mark() -> None:
    story = scenario(("A", ["100", "50"]), ("B", ["10", "30"]))
    instruments = [instrument("B", TENTH, 1_000), instrument("C", TENTH, 4_000), instrument("D", TENTH)]
    path = build_mark_path(instruments, story, step_ms=5_000)
    assert path.ticks == {"B": (1_000, 2_000, 3_000), "C": (4_000, 3_000, 2_000), "D": (1_000, 750, 500)}
    assert path.origins["C"] == "scenario test, along A"


def test_the_scenario_is_stretched_in_time_onto_the_window_of_the_files() -> None:
    story = scenario(("B", ["100", "50"]))
    path = build_mark_path(
        [instrument("A", TENTH), instrument("B", TENTH, 1_000)],
        story,
        files={"A": mark_file(["7"] * 11)},
        window=Window(T0, T0 + 10 * MINUTE),
        step_ms=MINUTE,
    )
    assert path.ticks["B"] == tuple(1_000 - 50 * minute for minute in range(11))


def test_a_file_for_an_unknown_symbol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MarkFileError, match=r"m\.csv: there is no instrument Z; the config has A, B, so name one of these"):
        build_mark_path([instrument("A", TENTH), instrument("B", TENTH)], FLAT, files={"Z": mark_file(["1", "2"])})


def test_a_price_that_rounds_to_nothing_is_refused_with_file_and_symbol() -> None:
    with pytest.raises(MarkFileError) as refused:
        build_mark_path([instrument("A", TENTH)], FLAT, files={"A": mark_file(["0.04", "0.04"])})
    assert str(refused.value).startswith("file m.csv: it does not fit A: 0.04 is 0 ticks of 0.1, and a mark lies between 1")


@pytest.mark.parametrize(("to_ms", "sentence"), [(T0, "--to must be after --from"), (T0 + 10**12, "more than 100000 steps")])
def test_an_empty_or_endless_window_is_refused(to_ms: int, sentence: str) -> None:
    with pytest.raises(MarkFileError, match=sentence):
        build_mark_path([instrument("A", TENTH)], FLAT, files={"A": mark_file(["1", "2"])}, window=Window(T0, to_ms))


def recorded(folder: str, name: str) -> MarkFile:
    path = DATA / folder / name
    if not path.is_file():
        pytest.skip("the recorded market data is not beside this checkout")
    return read_mark_file(path)


def test_the_recorded_marks_of_the_crash_play_their_published_prices() -> None:
    file = recorded("marks", "binance_coinm_BTCUSD_PERP_mark_1m_2025-10-09_10.csv.gz")
    window = Window(parse_utc("2025-10-10T20:50"), parse_utc("2025-10-10T21:40"))
    btc = instrument("BTC-PERP", TENTH)
    path = build_mark_path([btc], load_scenario(SCENARIO_FILE), files={"BTC-PERP": file}, window=window)
    marks = dict(zip(map(format_utc, path.times_ms), path.ticks["BTC-PERP"], strict=True))
    assert marks["2025-10-10 20:50:00"] == 1_168_479
    assert marks["2025-10-10 21:10:00"] == 1_144_158
    assert marks["2025-10-10 21:20:30"] == min(marks.values()) == 1_024_975
    assert len(marks) == 601


def test_without_a_window_the_recorded_crash_is_found() -> None:
    file = recorded("marks", "binance_coinm_BTCUSD_PERP_mark_1m_2025-10-09_10.csv.gz")
    path: MarkPath = build_mark_path([instrument("BTC-PERP", TENTH)], FLAT, files={"BTC-PERP": file})
    assert format_utc(path.window.from_ms) == "2025-10-10 20:37:20"
    assert min(path.ticks["BTC-PERP"]) == 1_024_975


def test_recorded_seconds_of_a_coin_that_fell_by_four_fifths_fit_a_fine_tick() -> None:
    file = recorded("bars_1s", "binance_coinm_DOTUSD_PERP_trades_1s_2025-10-10.csv.gz")
    path = build_mark_path([instrument("DOT-PERP", Grid(1, 4))], FLAT, files={"DOT-PERP": file})
    assert 6_960 <= min(path.ticks["DOT-PERP"]) <= 8_000
    assert max(path.ticks["DOT-PERP"]) >= 39_000
