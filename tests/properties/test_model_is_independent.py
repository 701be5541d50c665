"""The naive model is a second opinion only while it shares no rule with the venue."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VALUES = {f"exchange.domain.{name}" for name in ("commands", "enums", "ids", "instrument", "policy", "rejects", "units")}
RULES_AMONG_VALUES = {"ceil_div", "div_half_even", "div_toward_zero", "position_id", "tier_at"}


@pytest.mark.parametrize("path", sorted(HERE.glob("naive_*.py")), ids=lambda path: path.name)
def test_the_naive_model_imports_nothing_of_the_exchange_but_values(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith("exchange")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("exchange"):
            assert node.module in VALUES, node.module
            assert not RULES_AMONG_VALUES & {alias.name for alias in node.names}
