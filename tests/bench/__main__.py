"""``make bench``: prints every benchmark as markdown. ``--quick`` for a look that takes seconds."""

from __future__ import annotations

import argparse

from tests.bench import in_process, round_trip


def main() -> None:
    """Run all benchmarks and print their tables."""
    parser = argparse.ArgumentParser(prog="make bench", description="Print every benchmark as markdown.")
    parser.add_argument("--quick", action="store_true", help="few rounds: figures to look at, not to quote")
    quick = parser.parse_args().quick
    print("\n".join(in_process.run(rounds=1, commands=5_000) if quick else in_process.run()), flush=True)
    print()
    print("\n".join(round_trip.run(rounds=1, requests=200) if quick else round_trip.run()), flush=True)


if __name__ == "__main__":
    main()
