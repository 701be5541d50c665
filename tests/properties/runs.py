"""Whole runs of the venue beside its model: an opening, then drawn commands, compared after each one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from tests.properties.agreement import Pair
from tests.properties.brinks import brink_command
from tests.properties.draws import DRAW_MAXIMA, WAITS, Draw, command_of
from tests.properties.market import Setting, opening_commands


def play(setting: Setting, draws: Iterable[Draw]) -> Pair:
    """Both venues after the opening and every drawn command, having agreed after each one."""
    pair = Pair(setting)
    try:
        for command in opening_commands(setting):
            pair.apply(command)
        for draw in draws:
            brink = brink_command(draw, pair.model) if setting.has_brinks and draw.variant % 4 == 3 else None
            pair.apply(brink or command_of(draw, pair.model, setting), wait=WAITS[draw.wait % len(WAITS)])
    except AssertionError as difference:
        commands = "\n".join(f"{now_ns} {command!r}" for command, now_ns, _ in pair.history)
        difference.add_note(f"the setting: {setting!r}\nthe commands:\n{commands}")
        raise
    return pair


def play_seed(seed: int, commands: int, setting_of: Callable[[Random], Setting]) -> Pair:
    """A run of which everything follows from its seed."""
    numbers = Random(seed)
    setting = setting_of(numbers)
    draws = (Draw(*(numbers.randint(0, most) for most in DRAW_MAXIMA)) for _ in range(commands))
    try:
        return play(setting, draws)
    except AssertionError as difference:
        difference.add_note(f"the seed: {seed}")
        raise


def check_replay(pair: Pair) -> None:
    """CONS-006: the same commands at the same times give the same digest, and the same answers on the way."""
    again = pair.another_venue()
    for command, now_ns, events in pair.history:
        assert again.apply(command, now_ns=now_ns) == events
    assert again.digest() == pair.venue.digest()
