"""Every bound of the server, by name. Sizes in bytes, times in milliseconds; a value is a promise about memory or patience."""

from __future__ import annotations

import msgspec

from exchange.wire.fields import SUBSCRIPTIONS_MAX


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one connection, and all of them together, may take."""

    connections_max: int = 1_000
    """Open connections; one more is refused with HTTP 503."""
    handshakes_max: int = 256
    """Connections whose handshake is not done; one more is cut without an answer."""
    frame_bytes_max: int = 64 * 1024
    """One request after login."""
    frame_bytes_before_login_max: int = 4 * 1024
    """One request before login."""
    read_chunk_bytes: int = 16 * 1024
    """What one connection is read at a time, so that a flooder's frames do not pile up."""
    requests_per_turn_max: int = 16
    """Requests of one connection that are answered before every other connection has had its turn."""
    fragments_max: int = 64
    """Frames that one fragmented request may come in."""
    malformed_frames_max: int = 32
    """Frames that hold no readable request, before the connection is closed with 4000."""
    order_requests_per_s: int = 100_000
    """Orders and changes of one key, on average; a refusal says when to try again (SAFE-004)."""
    order_requests_burst: int = 100_000
    """Orders and changes of one key at once."""
    read_requests_per_s: int = 100_000
    """All other requests of one key, cancels among them, on average."""
    read_requests_burst: int = 100_000
    """All other requests of one key at once."""
    rate_refusals_max: int = 1_000
    """Refusals for too many requests, beyond one a second, before the connection is closed with 4029."""
    login_failures_max: int = 3
    """Failed logins on one connection, before it is closed with 4001."""
    batch_items_max: int = 20
    """Orders in one batch to place, amend or cancel (WIRE-030)."""
    subscriptions_max: int = SUBSCRIPTIONS_MAX
    """Subscriptions of one connection."""
    outbox_bytes_max: int = 1024 * 1024
    """What waits for a reader; past it the connection is closed with 4008."""
    conflate_bytes: int = 128 * 1024
    """What waits for a reader before public state is no longer queued but replaced by a later picture."""
    write_batch_bytes: int = 64 * 1024
    """What is handed to the socket at once; its buffer in this process holds at most two batches of ours."""
    foreign_write_bytes_max: int = 256 * 1024
    """What may wait in the socket beside our batches (answers to pings), before the connection is cut."""
    book_levels_max: int = 5_000
    """Price levels of each side in a book snapshot."""
    book_orders_max: int = 5_000
    """Orders of each side in a snapshot of channel ``book.orders``."""
    ledger_page_max: int = 500
    """Ledger entries in one answer."""
    liquidation_page_max: int = 100
    """Records of liquidations in one answer; one tells of every symbol of a cross scope."""
    ledger_entries_max: int = 2_000
    """Ledger entries of one account that are remembered; older ones are dropped, and counted."""
    ledger_entries_total_max: int = 200_000
    """Ledger entries of all accounts together that are remembered."""
    liquidation_records_max: int = 10_000
    """Records of liquidations that are remembered."""
    explanation_page_max: int = 10
    """Explanations in one answer."""
    explanation_bytes_max: int = 256 * 1024
    """What the explanations of one answer may come to; the next page goes on."""
    explanations_max: int = 500
    """Decisions on orders, fills and changes that are remembered of one account, to be explained."""
    explanations_total_max: int = 20_000
    """The same of all accounts together."""
    liquidation_explanations_max: int = 200
    """Decisions and steps of warnings and liquidations that are remembered of one account, to be explained."""
    liquidation_explanations_total_max: int = 20_000
    """The same of all accounts together."""
    candles_max: int = 1_000
    """Candles with a trade that are remembered of one symbol and interval."""
    keys_max: int = 20_000
    """Keys of all accounts together."""
    open_timeout_ms: int = 5_000
    """How long an opening handshake may take."""
    ping_interval_ms: int = 20_000
    """How often a connection is pinged."""
    idle_timeout_ms: int = 60_000
    """How long a connection may send nothing at all, not even answers to pings."""
    close_timeout_ms: int = 5_000
    """How long a closing handshake may take before the connection is cut."""
    tick_interval_ms: int = 1_000
    """How often connections are looked at for pings and idleness."""
    heartbeat_interval_ms: int = 5_000
    """How often the channel ``heartbeat`` tells that the server lives."""
    due_interval_ms: int = 250
    """How often a venue on real time is asked whether anything is due, such as funding (FUND-004)."""
    restart_retry_ms: int = 1_000
    """When a client may come back after the server stopped, as the ``shutdown`` message tells it."""
