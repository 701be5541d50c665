"""The command line: parses, then hands over to the command's own module, which is imported only then.

Exit codes: 0 done, 1 it could not be done, 2 wrongly asked, 130 interrupted, 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import exchange
from exchange.app.conformance_command import add_conformance
from exchange.app.exit_codes import EXIT_BROKEN_PIPE, EXIT_FAILED, EXIT_INTERRUPTED
from exchange.app.explain_command import add_explain
from exchange.app.margin_command import add_margin
from exchange.app.options import DemoOptions, ServeOptions
from exchange.app.profile_option import add_profile_option

SEED_MAX = 2**63 - 1

_DESCRIPTION = "A derivatives exchange on your own machine: one real order book, cross and isolated margin, over WebSockets."
_EPILOG = """\
examples:
  ringfence demo                      watch bots trade through the crash of 2025-10-10
  ringfence serve                     run an exchange with ten funded demo accounts on ws://127.0.0.1:8900
  ringfence margin --help             what a position needs, and when it is liquidated
  ringfence conformance cases.json    check the engine against published worked examples
  ringfence explain 12 --as alice     why an order was accepted, refused or filled, a position liquidated
  ringfence COMMAND --help            all options of a command
"""
_SERVE_EPILOG = """\
examples:
  ringfence serve
  ringfence serve --port 0 --ready-file ready.json     any free port; a script reads the address from the file
  ringfence serve --config my.toml                     your own instruments and accounts; the rest as in the defaults
  ringfence serve --profile binance                    the margin and liquidation rules of another venue

The ready file is JSON, appears once the server listens and goes when it stops:
  {"url", "pid", "accounts": [{"account", "key", "secret"}], "admin": {"key", "secret"}}
Stop with Ctrl-C.
"""
_DEMO_EPILOG = """\
examples:
  ringfence demo
  ringfence demo --plain --seed 7 --summary summary.json
  ringfence demo --marks BTC-PERP=btc_mark_1m.csv.gz --from 2025-10-10T20:50 --to 2025-10-10T21:40
  ringfence demo --config config/alts.toml --marks DOT-PERP=dot_1s.csv.gz --marks UNI-PERP=uni_1s.csv.gz

A mark file is a csv or csv.gz with the columns ts_ms, open, high, low, close in any order, or a kline file of Binance's
public data. Without --from and --to the 50 minutes around the largest fall are played. A symbol without a file
follows the shipped scenario.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; usage errors leave through ``SystemExit(2)``."""
    parser = build_parser()
    parsed = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace, argparse.ArgumentParser], int] = parsed.run
    try:
        return command(parsed, parsed.parser)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # whoever read the output has gone, as after "| head": nobody is left to tell, not even when Python flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except ValueError as error:
        if not _is_for_people(error):
            raise
        print(f"ringfence: {error}", file=sys.stderr)
        return EXIT_FAILED


def _is_for_people(error: ValueError) -> bool:
    """Return whether the error is a sentence about a file of the user's; any other is a bug and keeps its traceback."""
    from exchange.services.config_table import ConfigError
    from exchange.services.mark_file import MarkFileError

    return isinstance(error, (ConfigError, MarkFileError))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(
        prog="ringfence", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"ringfence {exchange.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_demo(commands)
    add_margin(commands)
    add_conformance(commands)
    add_explain(commands)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser(
        "serve",
        help="run an exchange until Ctrl-C",
        description="Run an exchange until Ctrl-C; print its address, symbols and demo accounts.",
        epilog=_SERVE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument("--config", type=Path, metavar="FILE", help="config over the defaults (default: config/sandbox.toml)")
    add_profile_option(serve, "rules of another venue over those of the config; ringfence profiles lists them")
    serve.add_argument("--host", metavar="HOST", help="address to listen on (default: 127.0.0.1, from the config)")
    serve.add_argument(
        "--port",
        type=_parse_port,
        metavar="PORT",
        help="port to listen on, 0 for any free one (default: 8900, from the config)",
    )
    serve.add_argument(
        "--public", action="store_true", help="allow a host that other machines can reach; the demo keys are public"
    )
    serve.add_argument("--ready-file", type=Path, metavar="FILE", help="write address, pid and keys as JSON once it listens")
    serve.set_defaults(run=_run_serve, parser=serve)


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="watch bots trade through a crash",
        description="Run an exchange and bots on it, play a crash in compressed time, and print what became of everyone.",
        epilog=_DEMO_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    demo.add_argument("--plain", action="store_true", help="print lines instead of the live view, for logs")
    demo.add_argument(
        "--seed", type=_parse_seed, default=42, metavar="N", help="same seed and marks, same result (default: 42)"
    )
    demo.add_argument("--keep", action="store_true", help="leave the exchange up after the summary, until Ctrl-C")
    demo.add_argument("--config", type=Path, metavar="FILE", help="config over the defaults (default: config/sandbox.toml)")
    add_profile_option(demo, "rules of another venue over those of the config; ringfence profiles lists them")
    demo.add_argument(
        "--marks",
        type=_parse_mark_file,
        action="append",
        default=[],
        metavar="SYMBOL=FILE",
        help="play a recorded path for a symbol; may be given once per symbol",
    )
    demo.add_argument("--from", dest="from_ms", type=_parse_time, metavar="UTC", help="start of the path, as 2025-10-10T20:50")
    demo.add_argument("--to", dest="to_ms", type=_parse_time, metavar="UTC", help="end of the path, as 2025-10-10T21:40")
    demo.add_argument("--summary", type=Path, metavar="FILE", help="write the summary as JSON, too")
    demo.set_defaults(run=_run_demo, parser=demo)


def _run_serve(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from exchange.app.serve import run_serve

    options = ServeOptions(
        config=parsed.config,
        host=parsed.host,
        port=parsed.port,
        public=parsed.public,
        ready_file=parsed.ready_file,
        profile=parsed.profile,
    )
    return run_serve(options)


def _run_demo(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    marks: dict[str, Path] = {}
    for symbol, path in parsed.marks:
        if symbol in marks:
            parser.error(f"argument --marks: {symbol} is given twice; name one file per symbol")
        marks[symbol] = path
    _check_window(parsed, parser)

    from exchange.app.demo.runner import run_demo

    options = DemoOptions(
        plain=parsed.plain,
        seed=parsed.seed,
        keep=parsed.keep,
        config=parsed.config,
        marks=marks,
        from_ms=parsed.from_ms,
        to_ms=parsed.to_ms,
        summary=parsed.summary,
        profile=parsed.profile,
    )
    return run_demo(options)


def _check_window(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    if (parsed.from_ms is None) != (parsed.to_ms is None):
        parser.error("arguments --from and --to belong together; give both or neither")
    if parsed.from_ms is None:
        return
    if not parsed.marks:
        parser.error("arguments --from and --to choose a part of recorded marks; give --marks, too")
    if parsed.to_ms <= parsed.from_ms:
        parser.error("argument --to: it must be after --from")


def _parse_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def _parse_seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= SEED_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; give a whole number from 0 to {SEED_MAX}")
    return int(text)


def _parse_mark_file(text: str) -> tuple[str, Path]:
    symbol, separator, path = text.partition("=")
    if not (symbol and separator and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not SYMBOL=FILE; write for instance BTC-PERP=marks.csv.gz")
    return symbol, Path(path)


def _parse_time(text: str) -> int:
    from exchange.services.mark_window import parse_utc

    try:
        return parse_utc(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
