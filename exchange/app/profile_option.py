"""The option ``--profile``, which several commands have."""

from __future__ import annotations

import argparse


def add_profile_option(command: argparse.ArgumentParser, what: str) -> None:
    """Let a command take the name of a shipped profile; ``what`` says what it does with it."""
    command.add_argument("--profile", type=_parse_profile, metavar="NAME", help=what)


def _parse_profile(text: str) -> str:
    from exchange.composition.profiles import load_profile
    from exchange.services.config_table import ConfigError

    try:
        return load_profile(text).name
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
