"""Reading recorded bars: both layouts, exact prices, and a sentence for everything that is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exchange.services.exact_price import format_price
from exchange.services.mark_file import LINE_LENGTH_MAX, MarkFile, MarkFileError, Point, read_mark_file

T0 = 1_760_130_000_000
MINUTE = 60_000


def read(tmp_path: Path, text: str, name: str = "marks.csv") -> MarkFile:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_mark_file(path)


def path_of(file: MarkFile) -> list[tuple[int, str]]:
    return [(point.time_ms - T0, format_price(point.price)) for point in file.points()]


def test_columns_are_found_by_name_in_any_order_and_extra_ones_are_ignored(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        f"volume,close,LOW , high,open,ts_ms\n9,101,99,102,100,{T0}\n9,101,101,101,101,{T0 + MINUTE}\n\n",
    )
    bar = file.bars[0]
    assert [format_price(price) for price in bar[1:]] == ["100", "102", "99", "101"]
    assert (file.start_ms, file.end_ms, file.bar_ms) == (T0, T0 + 2 * MINUTE, MINUTE)


def test_every_digit_of_a_price_is_kept(tmp_path: Path) -> None:
    text = "123277.830646812345678901"[:25]
    file = read(tmp_path, f"ts_ms,open,high,low,close\n{T0},{text[:22]},200000,1,3\n{T0 + 1000},3,3,3,3\n")
    assert format_price(file.bars[0].open) == text[:22]


def test_a_rising_bar_visits_its_low_first_and_a_falling_bar_its_high_a_quarter_apart(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        f"ts_ms,open,high,low,close\n{T0},100,110,90,105\n{T0 + MINUTE},105,108,80,85\n{T0 + 3 * MINUTE},85,86,84,85\n",
    )
    assert path_of(file) == [
        (0, "100"),
        (15_000, "90"),
        (30_000, "110"),
        (45_000, "105"),
        (60_000, "105"),
        (75_000, "108"),
        (90_000, "80"),
        (105_000, "85"),
        (180_000, "85"),
        (195_000, "84"),
        (210_000, "86"),
        (225_000, "85"),
    ]


def test_a_gzip_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    text = f"ts_ms,open,high,low,close\n{T0},1,1,1,1\n{T0 + 1000},2,2,2,2\n"
    packed = tmp_path / "marks.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_mark_file(packed).bars == read(tmp_path, text).bars


KLINE = "{time},100,102,99,101,5.0,{time},500.0,3,2.5,250.0,0"
KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


@pytest.mark.parametrize("header", [KLINE_HEADER, "", "\ufeff" + KLINE_HEADER])
@pytest.mark.parametrize("unit", [1, 1_000], ids=["milliseconds", "microseconds"])
def test_binance_kline_files_are_read_with_and_without_header_in_both_time_units(
    tmp_path: Path, header: str, unit: int
) -> None:
    rows = [KLINE.format(time=(T0 + minute * MINUTE) * unit) for minute in range(3)]
    file = read(tmp_path, header + "\n".join(rows) + "\n")
    assert file.bar_ms == MINUTE
    assert file.start_ms == T0
    assert next(file.points()) == Point(T0, 100 * 10**18)


GOOD = f"ts_ms,open,high,low,close\n{T0},1,1,1,1\n"
BAD_FILES = {
    "a missing column": (
        f"ts_ms,open,high,close\n{T0},1,1,1\n",
        "line 1: the header lacks low (it has ts_ms, open, high, close); name the columns ts_ms, open, high, low, close",
    ),
    "no time column": ("date,open,high,low,close\n", "line 1: the header lacks ts_ms (it has date, open, high, low, close)"),
    "a headerless file that is too narrow": (f"{T0},1,1,1\n", "line 1: a file without a header must have open_time, open"),
    "a short row": (GOOD + f"{T0 + 1},1,1\n", "line 3: the row has 3 fields, and column 5 is needed; complete or remove it"),
    "a word for a price": (GOOD + f"{T0 + 1},1,1,cheap,1\n", "line 3: low: write a decimal number"),
    "an exponent": (GOOD + f"{T0 + 1},1e0,1,1,1\n", "line 3: open: write a decimal number"),
    "not a number": (GOOD + f"{T0 + 1},nan,1,1,1\n", "line 3: open: write a decimal number"),
    "a price of zero": (GOOD + f"{T0 + 1},1,1,0,1\n", "line 3: low: a price must be above 0"),
    "a negative price": (GOOD + f"{T0 + 1},1,1,-1,1\n", "line 3: low: a price must be above 0"),
    "a close above the high": (GOOD + f"{T0 + 1},1,1,1,2\n", "line 3: open and close must lie between low and high"),
    "a time with a point": (GOOD + "1760130000000.5,1,1,1,1\n", "line 3: the time is no whole number"),
    "a time in seconds": (GOOD + "1760130000,1,1,1,1\n", "line 3: the time 1760130000 is neither milliseconds nor micro"),
    "a time twice": (GOOD + f"{T0},1,1,1,1\n", "line 3: its time is that of the row before; keep one of the two"),
    "unsorted times": (GOOD + f"{T0 - 1},1,1,1,1\n", "line 3: its time is before that of the row before; sort the file by"),
    "one row": (GOOD, "it holds 1 rows of prices; at least 2 are needed"),
    "no rows": ("ts_ms,open,high,low,close\n", "it holds 0 rows of prices; at least 2 are needed"),
    "an empty file": ("", "it holds 0 rows of prices; at least 2 are needed"),
    "an endless line": ("x" * (LINE_LENGTH_MAX + 1), f"line 1: it is longer than {LINE_LENGTH_MAX} characters"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_refused_with_its_name_and_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(MarkFileError) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith("mark file marks.csv")
    assert sentence in str(refused.value)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MarkFileError, match=r"none\.csv: it cannot be read \(No such file or directory\); check the path"):
        read_mark_file(tmp_path / "none.csv")


def test_a_damaged_gzip_file_is_a_sentence(tmp_path: Path) -> None:
    rows = "".join(f"{T0 + place},{place},{place},{place},{place}\n" for place in range(1, 5_000))
    whole = gzip.compress((GOOD + rows).encode())
    for name, content in {"cut.csv.gz": whole[:-20], "plain.csv.gz": GOOD.encode()}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MarkFileError, match="its gzip data is damaged or cut short; fetch it again"):
            read_mark_file(tmp_path / name)


def test_bytes_that_are_no_text_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "marks.csv").write_bytes(b"\xff\xfe\x00\x01\n")
    with pytest.raises(MarkFileError, match="it is not UTF-8 text"):
        read_mark_file(tmp_path / "marks.csv")


def test_a_zip_archive_is_to_be_unpacked_first(tmp_path: Path) -> None:
    with pytest.raises(MarkFileError, match="unpack it and name the csv inside"):
        read_mark_file(tmp_path / "BTCUSDT-1m.zip")
