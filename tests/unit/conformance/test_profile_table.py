"""The page of profiles: written from a run, and the committed one is that of today's run."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from exchange.app.cli import main
from exchange.app.conformance import profile_texts
from exchange.composition.case_rules import ShippedRules
from exchange.conformance.cases import Outcome
from exchange.conformance.profile_table import ProfileText, format_profiles
from exchange.conformance.runner import run_cases, tally
from tests.unit.conformance.made_up_cases import MADE_UP

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "exchange" / "PROFILES.md"
PUBLISHED = Path(os.environ.get("RINGFENCE_PUBLISHED_CASES", "/work/shared/oracle/margin_cases.json"))

ACME = ProfileText("bybit", "Acme", {"fund_covers": "true"}, ["this"], ["that | other"], ["a page", "a book"])
ACME_PAGE = """\
| profile | what it is | passed | failed | skipped |
|---|---|---|---|---|
| [bybit](#bybit) | Acme | 1 | 1 | 1 |
| all |  | 1 | 1 | 1 |

## bybit

Acme.

Choices:
- `fund_covers` = true

What it reproduces:
- this

What it does not:
- that | other

| kind of case | passed | failed | skipped |
|---|---|---|---|
| `liq_price_isolated` | 1 | 1 | 1 |

| not run, because | cases |
|---|---|
| the formula 'unheard of' is not known | `made-up-lp_mm_at_entry` |
| **failed**: liq_price: 385/2, expected 1 (exact) | `made-up-lp_mm_at_entry` |

Sources: a page; a book.
"""


def test_the_page_has_choices_counts_by_kind_what_is_not_run_and_the_sources() -> None:
    case = MADE_UP[0].written
    cases = [case, {**case, "formula_id": "unheard of"}, {**case, "expected": {"liq_price": "1"}}]
    page = format_profiles([ACME], run_cases(cases, ShippedRules()))
    assert page.split("\n\n", 3)[3] == ACME_PAGE


def test_the_page_is_written_by_the_command(tmp_path: Path) -> None:
    cases, page = tmp_path / "cases.json", tmp_path / "page.md"
    cases.write_text(json.dumps([MADE_UP[0].written]), encoding="utf-8")
    assert main(["conformance", str(cases), "--table", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "| [bybit](#bybit) | Bybit USDT perpetuals | 1 | 0 | 0 |" in text
    assert "No published case is posed under it." in text


def test_the_committed_page_has_every_profile_with_the_choices_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [profile.name for profile in profile_texts()]
    for profile in profile_texts():
        section = page.split(f"\n## {profile.name}\n")[1].split("\n## ")[0]
        assert re.findall(r"^- `(\w+)` = (.*)$", section, re.MULTILINE) == list(profile.switches.items())
        assert all(f"- {line}\n" in section for line in (*profile.reproduces, *profile.differs))


def test_the_committed_page_and_the_readme_have_the_figures_of_todays_run() -> None:
    if not PUBLISHED.exists():
        pytest.skip(f"the published cases are not at {PUBLISHED}")
    results = run_cases(json.loads(PUBLISHED.read_text(encoding="utf-8")), ShippedRules())
    assert PAGE.read_text(encoding="utf-8") == format_profiles(profile_texts(), results), (
        "write it anew: ringfence conformance FILE --table exchange/PROFILES.md"
    )
    direct = [result for result in results if result.applicability == "direct"]
    variant = [result for result in results if result.applicability == "variant"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{tally(direct).passed} of {len(direct)} directly applicable worked examples" in readme
    assert f"{tally(variant).passed} of {len(variant)} that need rules of another venue" in readme
    assert not [result for result in results if result.outcome is Outcome.FAILED]
