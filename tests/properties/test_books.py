"""Books rebuilt from their messages, at every depth, over sound and shaken lines."""

from __future__ import annotations

import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.book_stage import BookStage
from tests.properties.profiles import SOAK_EXAMPLES, SOAK_SEED, profile

SLICE_MESSAGES = 10_000
SOAK_MESSAGES_PER_EXAMPLE = 1_000
"""`RINGFENCE_SOAK_EXAMPLES=1000` is the run of a million messages."""
RUN_COMMANDS = 400


@pytest.mark.rule("WIRE-010", "WIRE-023", "WIRE-014")
@given(numbers=st.randoms(use_true_random=False), commands=st.integers(1, 60))
@profile(15)
def test_a_mirror_that_says_it_is_ready_holds_the_venues_book(numbers: Random, commands: int) -> None:
    stage = BookStage(numbers)
    for _ in range(commands):
        stage.step()
    stage.settle()


@pytest.mark.rule("WIRE-010", "WIRE-023", "WIRE-014")
def test_books_are_right_after_every_message_and_all_that_goes_wrong_is_found_and_cured() -> None:
    counts: Counter[str] = Counter()
    wanted, seed = (SOAK_EXAMPLES * SOAK_MESSAGES_PER_EXAMPLE) or SLICE_MESSAGES, SOAK_SEED
    told = 0
    while counts["messages"] < wanted:
        stage = BookStage(Random(seed))
        try:
            for _ in range(RUN_COMMANDS):
                stage.step()
            stage.settle()
        except AssertionError as difference:
            difference.add_note(f"the seed: {seed}")
            raise
        counts += stage.counts
        counts["gaps"] += sum(mirror.gaps for mirror in stage.shaken_mirrors.values())
        counts["mismatches"] += sum(mirror.mismatches for mirror in stage.shaken_mirrors.values())
        seed += 1
        if SOAK_EXAMPLES and counts["messages"] - told > 20_000:
            told = counts["messages"]
            print(f"books: {told} of {wanted} messages, {dict(counts)}", file=sys.__stderr__, flush=True)
    for met in ("dropped", "doubled", "delayed", "spoiled", "gaps", "mismatches", "renewals"):
        assert counts[met] > 50, counts
    assert counts["commands that changed the book several times"] > 0, counts
