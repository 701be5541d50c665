"""``ringfence explain``: one question to a running exchange, and its answer."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from enum import Enum
from typing import Any

from clients import Client, ConnectFailed, ExchangeError, LoginRefused, RequestRefused
from clients.explain_messages import Explanation
from exchange.app.exit_codes import EXIT_DONE, EXIT_FAILED
from exchange.app.options import ExplainOptions

RULE = "-" * 100


def run_explain(options: ExplainOptions) -> int:
    """Ask and print the answer; return the exit code. What goes wrong is told in a sentence."""
    try:
        explanations = asyncio.run(_ask(options))
    except ConnectFailed as error:
        return _fail(f"no exchange answers at {options.url} ({error}); start one with ringfence serve, or give --url")
    except LoginRefused as error:
        return _fail(f"the exchange refused the key {options.key}: {error.message}")
    except RequestRefused as error:
        return _fail(error.message)
    except (ExchangeError, ValueError) as error:
        return _fail(str(error))
    if options.as_json:
        print(json.dumps([asdict(each) for each in explanations], indent=2, default=_plain))
    else:
        print(f"\n{RULE}\n".join(each.text for each in explanations))
    return EXIT_DONE


async def _ask(options: ExplainOptions) -> tuple[Explanation, ...]:
    asked: dict[str, Any] = {options.kind: options.value}
    async with Client.connect(options.url, key=options.key, secret=options.secret, reconnect=False) as client:
        if options.account is not None:
            return await client.admin_explain(options.account, **asked)
        return await client.explain(**asked)


def _plain(value: object) -> object:
    assert isinstance(value, Enum), "an explanation holds text, numbers and words"
    return value.value


def _fail(sentence: str) -> int:
    print(f"ringfence: {sentence}", file=sys.stderr)
    return EXIT_FAILED
