"""How a loss that the fund cannot pay is split among those who have won."""

from __future__ import annotations

import pytest

from exchange.accounts.loss_cover import split_pro_rata


@pytest.mark.rule("LIQ-009")
@pytest.mark.parametrize(
    ("loss", "gains", "shares"),
    [
        (30, [10, 20, 70], [3, 6, 21]),
        (10, [5, 5, 5], [4, 3, 3]),
        (10, [4, 5, 6], [2, 3, 5]),
        (99, [10, 20, 70], [9, 19, 70]),
        (100, [10, 20, 70], [10, 20, 70]),
        (250, [10, 20, 70], [10, 20, 70]),
        (7, [1], [1]),
        (7, [], []),
    ],
)
def test_each_pays_by_its_gain_rounded_down_the_largest_the_rest_and_nobody_more_than_it_has(
    loss: int, gains: list[int], shares: list[int]
) -> None:
    assert split_pro_rata(loss, gains) == shares
