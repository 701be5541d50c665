"""``ringfence explain`` on the command line: its options and help. What it asks is imported only when it runs."""

from __future__ import annotations

import argparse

from exchange.app.options import ExplainOptions

DEFAULT_URL = "ws://127.0.0.1:8900"
KINDS = {"order": "order_id", "client": "client_order_id", "liquidation": "liquidation_id", "sequence": "sequence"}
"""What comes before the colon of an id, and the parameter that it is asked by."""

_DESCRIPTION = """\
Why was this order accepted, refused or filled, this setting changed, this position liquidated? Asks a running exchange and
prints the answer: what was there, the arithmetic with its numbers, the check that decided, cross beside isolated, and what
would have made the difference."""

_EPILOG = """\
examples:
  ringfence explain 12 --as alice                   alice's order 12, with each of its fills
  ringfence explain client:my-bid-7 --as alice      an order under the name that its owner gave it
  ringfence explain liquidation:3 --as alice        why a position was liquidated, and what followed
  ringfence explain sequence:99 --as alice          one command: a refused order or change tells its sequence
  ringfence explain liquidation:3 --as admin --account alice

--as NAME takes the public keys of the demo accounts (demo-NAME); give --key and --secret for any other.
"""


def add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``ringfence``."""
    explain = commands.add_parser(
        "explain",
        help="ask a running exchange why something happened",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.add_argument(
        "asked", type=_parse_id, metavar="ID", help="an order id, or order:N, client:NAME, liquidation:N, sequence:N"
    )
    explain.add_argument(
        "--url", default=DEFAULT_URL, metavar="URL", help=f"where the exchange listens (default: {DEFAULT_URL})"
    )
    explain.add_argument("--as", dest="name", metavar="NAME", help="a demo account, such as alice, or admin")
    explain.add_argument("--key", metavar="KEY", help="the account's key")
    explain.add_argument("--secret", metavar="SECRET", help="the key's secret")
    explain.add_argument("--account", metavar="NAME", help="whose decision it was, when asked with an admin key")
    explain.add_argument("--json", action="store_true", help="print the explanations as JSON, with every number and formula")
    explain.set_defaults(run=_run, parser=explain)


def _run(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if (parsed.key is None) != (parsed.secret is None):
        parser.error("arguments --key and --secret belong together; give both")
    if (parsed.name is None) == (parsed.key is None):
        parser.error("say who asks: --as NAME for a demo account, or --key and --secret")
    from exchange.app.explain import run_explain

    key, secret = parsed.key, parsed.secret
    if parsed.name is not None:
        key, secret = f"demo-{parsed.name}", f"demo-{parsed.name}-secret"
    kind, value = parsed.asked
    options = ExplainOptions(
        kind=kind, value=value, url=parsed.url, key=key, secret=secret, account=parsed.account, as_json=parsed.json
    )
    return run_explain(options)


def _parse_id(text: str) -> tuple[str, str | int]:
    kind, separator, value = text.partition(":")
    if not separator:
        kind, value = "order", text
    if kind not in KINDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no id; write an order id, or one of {', '.join(f'{each}:...' for each in KINDS)}"
        )
    if kind == "client":
        if not value:
            raise argparse.ArgumentTypeError("write the client order id after client:")
        return KINDS[kind], value
    if not (value.isascii() and value.isdigit() and len(value) <= 15):
        raise argparse.ArgumentTypeError(f"{value!r} is no number; write for instance {kind}:12")
    return KINDS[kind], int(value)
