"""Ringfence: a derivatives exchange that runs on your own machine, with cross and isolated margin per position."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ringfence")
except PackageNotFoundError:  # running from a checkout that is not installed
    __version__ = "0+unknown"
