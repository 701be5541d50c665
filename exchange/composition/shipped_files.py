"""Where the config files are that come with the project."""

from __future__ import annotations

from pathlib import Path

import exchange


def config_path(name: str) -> Path:
    """Return where a shipped config file is: inside an installed package, else in the checkout's ``config`` folder."""
    package = Path(exchange.__file__).parent
    installed = package / "_config"
    return (installed if installed.is_dir() else package.parent / "config") / name
