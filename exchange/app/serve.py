"""``ringfence serve``: one exchange on a socket until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from exchange.app.banner import format_banner
from exchange.app.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_USAGE
from exchange.app.options import ServeOptions
from exchange.app.ready_file import write_ready_file
from exchange.composition.compose import Exchange, compose
from exchange.composition.profiles import DEFAULT_PROFILE
from exchange.composition.settings import Settings, load_settings
from exchange.server.handshake import is_loopback


def run_serve(options: ServeOptions) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code; raises ``ConfigError`` for a config that cannot be used."""
    settings = load_settings(options.config, profile=options.profile or DEFAULT_PROFILE)
    host = settings.server.host if options.host is None else options.host
    port = settings.server.port if options.port is None else options.port
    if not (options.public or is_loopback(host)):
        return _fail(
            EXIT_USAGE, f"other machines can reach {host!r}, and the demo keys are public; add --public if that is meant"
        )
    if options.ready_file is not None:
        try:
            # what an earlier run left must not be taken for this one
            options.ready_file.unlink(missing_ok=True)
        except OSError as error:
            return _fail(EXIT_FAILED, _file_sentence(options.ready_file, error))
    code = asyncio.run(_serve(settings, host, port, options.ready_file))
    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)  # nobody listens there any more
    return code


async def _serve(settings: Settings, host: str, port: int, ready_file: Path | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    exchange = compose(settings)
    try:
        await exchange.start(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        return _fail(
            EXIT_FAILED, f"cannot listen on {host} port {port} ({reason}); choose another with --port, or 0 for any free one"
        )
    try:
        return await _announce_and_wait(exchange, settings, ready_file, stop)
    finally:
        await exchange.stop()


async def _announce_and_wait(exchange: Exchange, settings: Settings, ready_file: Path | None, stop: asyncio.Event) -> int:
    print(format_banner(settings, exchange.url), flush=True)
    if ready_file is not None:
        try:
            write_ready_file(ready_file, settings, exchange.url)
        except OSError as error:
            return _fail(EXIT_FAILED, _file_sentence(ready_file, error))
    await stop.wait()
    print("stopping", flush=True)
    return EXIT_DONE


def _file_sentence(path: Path, error: OSError) -> str:
    return f"the ready file {path} cannot be written ({error.strerror or error}); check the path given with --ready-file"


def _fail(code: int, sentence: str) -> int:
    print(f"ringfence: {sentence}", file=sys.stderr)
    return code
