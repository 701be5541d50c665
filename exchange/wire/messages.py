"""Everything the server sends, in one schema for both encodings (WIRE rules of SPEC.md).

Prices, quantities, money and rates are decimal strings; times are whole microseconds since the Unix epoch; ids of the
venue's making are whole numbers. No float and no ``Decimal`` field exists.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from exchange.wire.fields import Channel, MarginModeText, PositionModeText, PositionSideText, SideText, TradingStateText


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The base of everything the server sends."""


class Limits(Message, frozen=True, kw_only=True):
    """What the server bounds on a connection."""

    frame_bytes_max: int
    requests_per_turn_max: int
    subscriptions_max: int
    outbox_bytes_max: int


class Hello(Message, frozen=True, kw_only=True):
    """The server's first frame."""

    type: Literal["hello"] = "hello"
    version: int
    server: str
    session_id: str
    nonce: str
    time_us: int
    heartbeat_ms: int
    clock: Literal["real", "virtual"]
    limits: Limits
    features: tuple[str, ...]


class ErrorBody(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What was wrong, in words and in a name to program against; ``details`` holds the margin decision of a reject."""

    code: int
    name: str
    message: str
    field: str | None = None
    retry_ms: int | None = None
    details: dict[str, Any] | None = None


class ErrorReply(Message, frozen=True, kw_only=True):
    """A refused request. ``id`` is null where the frame was too broken to carry one."""

    id: int | str | None
    error: ErrorBody


class Reply(Message, frozen=True, kw_only=True):
    """An answered request."""

    id: int | str
    result: msgspec.Raw | Message | tuple[Message, ...] | dict[str, Any]


class PingResult(Message, frozen=True, kw_only=True):
    """The server's time, and how many commands were applied: all their events have arrived by now."""

    time_us: int
    sequence: int


class LoginResult(Message, frozen=True, kw_only=True):
    """What this connection may do from now on; a key for administration has no account."""

    account: str | None
    scopes: tuple[str, ...]


class SubscriptionResult(Message, frozen=True, kw_only=True):
    """A subscription begun or ended; events after ``sequence`` belong to it."""

    channel: Channel
    symbol: str | None
    sequence: int


class CommandResult(Message, frozen=True, kw_only=True):
    """A command was applied; ``sequence`` counts it and every liquidation command that followed it."""

    sequence: int
    time_us: int


class MarginModeResult(Message, frozen=True, kw_only=True):
    """The collateral behind a position from now on, and what moved into its isolated wallet (negative: back)."""

    symbol: str
    position_side: PositionSideText
    margin_mode: MarginModeText
    margin_moved: str
    sequence: int


class LeverageResult(Message, frozen=True, kw_only=True):
    """The leverage of a position from now on, and what its isolated wallet had to be given for it."""

    symbol: str
    position_side: PositionSideText
    leverage: int
    margin_moved: str
    sequence: int


class MarginMoveResult(Message, frozen=True, kw_only=True):
    """What moved into (positive) or out of (negative) an isolated wallet, and both wallets after it."""

    symbol: str
    position_side: PositionSideText
    amount: str
    isolated_wallet: str
    wallet_balance: str
    sequence: int


class PositionModeResult(Message, frozen=True, kw_only=True):
    """Whether the account has one position per symbol, or two, from now on."""

    position_mode: PositionModeText
    sequence: int


class AutoReplenishResult(Message, frozen=True, kw_only=True):
    """Whether a position may be topped up before it is liquidated, from now on."""

    symbol: str
    position_side: PositionSideText
    enabled: bool
    sequence: int


class WithdrawResult(Message, frozen=True, kw_only=True):
    """What went out of the cross pool, and what of the asset is left in it."""

    asset: str
    amount: str
    wallet_balance: str
    sequence: int


class CreditResult(Message, frozen=True, kw_only=True):
    """A deposit and the wallet after it."""

    account: str
    asset: str
    amount: str
    wallet_balance: str


class DecisionBody(Message, frozen=True, kw_only=True):
    """The margin decision of an accept or reject (MARG-009)."""

    path: MarginModeText
    required: str
    available_before: str
    available_after: str
    liquidation_price: str | None

    def as_details(self) -> dict[str, Any]:
        """Return the decision as the details of an error."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class TriggerBody(Message, frozen=True, kw_only=True):
    """The price that an order waits for, and which price of the symbol that is."""

    kind: str
    price: str
    by: str


class OrderBody(Message, frozen=True, kw_only=True):
    """An order as its owner sees it."""

    order_id: int
    client_order_id: str | None
    symbol: str
    position_side: PositionSideText
    side: SideText
    order_type: str
    time_in_force: str
    post_only: bool
    reduce_only: bool
    self_trade_prevention: str
    limit_price: str
    quantity: str
    filled_quantity: str
    open_quantity: str
    average_fill_price: str | None
    order_status: str
    reason: str | None
    """Why the order was canceled, if it was."""
    liquidation_id: int | None
    time_us: int
    expire_time_us: int | None = None
    """When the order is canceled, with ``gtd``."""
    trigger: TriggerBody | None = None
    """What it waits for while ``order_status`` is ``untriggered``, or has waited for."""
    margin: DecisionBody | None = None
    """What its margin check found, in the update that tells that it was triggered."""


class PlaceResult(Message, frozen=True, kw_only=True):
    """What became of an accepted order by the end of its command."""

    order: OrderBody
    margin: DecisionBody
    repeated: bool
    """True when the client order id had been used for this same order before and nothing was done."""
    sequence: int


class CancelAllResult(Message, frozen=True, kw_only=True):
    """How many orders were canceled."""

    canceled: int


class CollateralBody(Message, frozen=True, kw_only=True):
    """What an account holds of a collateral asset, and what that counts for in the settlement asset."""

    asset: str
    balance: str
    value: str


class AccountBody(Message, frozen=True, kw_only=True):
    """An account's cross pool; ``total_equity`` adds the isolated scopes, ``notional`` is that of all positions."""

    account: str
    wallet_balance: str
    equity: str
    initial_margin: str
    maintenance_margin: str
    order_margin: str
    available_balance: str
    margin_ratio: str | None
    bankrupt: bool
    total_equity: str
    withdrawable: str
    notional: str
    effective_leverage: str | None
    position_mode: PositionModeText
    collateral: tuple[CollateralBody, ...]
    collateral_value: str
    liquidating: bool


class PositionBody(Message, frozen=True, kw_only=True):
    """One position with the health of the scope behind it; ``quantity`` is signed."""

    symbol: str
    position_side: PositionSideText
    quantity: str
    entry_price: str | None
    entry_cost: str
    mark_price: str | None
    unrealized_pnl: str
    margin_mode: MarginModeText
    leverage: int
    isolated_wallet: str
    initial_margin: str
    maintenance_margin: str
    order_margin: str
    scope_equity: str
    margin_ratio: str | None
    bankrupt: bool
    liquidation_price: str | None
    bankruptcy_price: str | None
    liquidating: bool
    notional: str
    effective_leverage: str | None
    auto_replenish: bool


class TierBody(Message, frozen=True, kw_only=True):
    """One leverage bracket."""

    notional_floor: str
    maintenance_rate: str
    max_leverage: int
    maintenance_amount: str


class FundingTermsBody(Message, frozen=True, kw_only=True):
    """How longs and shorts pay each other; rates per interval."""

    interval_us: int
    interest: str
    clamp: str
    cap: str
    impact_notional: str


class IndexMarkBody(Message, frozen=True, kw_only=True):
    """How a mark is made of the index: how far from it, and how long the book's distance is averaged."""

    band: str
    basis_window_us: int


class MarginRulesBody(Message, frozen=True, kw_only=True):
    """The venue's choices that margin formulas depend on, under the names they have in ``[risk]`` (SPEC.md, MARG rules)."""

    maintenance_price: Literal["mark", "entry"]
    initial_margin_price: Literal["mark", "entry"]
    close_fee_in_maintenance: bool
    liquidate_at_equality: bool
    profit_for_orders: bool
    order_margin: Literal["larger_side", "notional_offset"]
    order_close_fee: bool
    liquidation_price_buffer: str
    liquidation_surplus: Literal["owner", "fund"]


class InstrumentBody(Message, frozen=True, kw_only=True):
    """An instrument and its limits; ``funding`` is null where none is paid, ``index_mark`` where the mark is told."""

    symbol: str
    tick_size: str
    lot_size: str
    contract_multiplier: str
    max_leverage: int
    default_leverage: int
    maker_fee: str
    taker_fee: str
    liquidation_fee: str
    price_band: str
    market_protection: str
    notional_min: str
    quantity_max: str
    tiers: tuple[TierBody, ...]
    mark_source: Literal["external", "index"]
    index_mark: IndexMarkBody | None
    funding: FundingTermsBody | None
    margin_rules: MarginRulesBody


class BookBody(Message, frozen=True, kw_only=True):
    """The best levels of a book, best first: ``[price, quantity]`` pairs."""

    symbol: str
    sequence: int
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    time_us: int


class TradeBody(Message, frozen=True, kw_only=True):
    """A public trade."""

    trade_id: int
    symbol: str
    price: str
    quantity: str
    taker_side: SideText
    liquidation: bool
    time_us: int


class TickerBody(Message, frozen=True, kw_only=True):
    """The state of a market in one line."""

    symbol: str
    best_bid: str | None
    best_bid_quantity: str | None
    best_ask: str | None
    best_ask_quantity: str | None
    last_price: str | None
    mark_price: str | None
    open_interest: str
    volume: str
    trades: int
    trading_state: TradingStateText
    time_us: int


class AssetFundBody(Message, frozen=True, kw_only=True):
    """A collateral asset over the whole venue."""

    asset: str
    net_deposits: str
    insurance_fund_balance: str


class FundBody(Message, frozen=True, kw_only=True):
    """Admin only: where the venue and its money stand."""

    sequence: int
    digest: str
    time_us: int
    clock: Literal["real", "virtual"]
    accounts: int
    net_deposits: str
    fees: str
    insurance_fund_wallet: str
    insurance_fund_equity: str
    insurance_fund_positions: tuple[PositionBody, ...]
    assets: tuple[AssetFundBody, ...]


class CreatedAccount(Message, frozen=True, kw_only=True):
    """A new account's credentials."""

    account: str
    key: str
    secret: str


class FillBody(Message, frozen=True, kw_only=True):
    """The account's side of a trade."""

    trade_id: int
    order_id: int
    client_order_id: str | None
    symbol: str
    position_side: PositionSideText
    side: SideText
    price: str
    quantity: str
    liquidity: Literal["maker", "taker"]
    fee: str
    realized_pnl: str
    margin_in: str
    margin_out: str
    liquidation_id: int | None
    time_us: int


class BookUpdate(Message, frozen=True, kw_only=True):
    """``snapshot`` replaces the book; ``delta`` replaces the levels it names (quantity "0" removes one).

    ``sequence`` is that of the command that changed the book last. A delta follows the message whose ``sequence`` is its
    ``previous_sequence``; in a snapshot both are equal. A snapshot may come at any time. ``checksum`` is that of the best
    levels as the message leaves them (WIRE-023).
    """

    channel: Channel
    type: Literal["snapshot", "delta"]
    symbol: str
    sequence: int
    previous_sequence: int
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    checksum: int
    time_us: int


class ChannelUpdate(Message, frozen=True, kw_only=True):
    """One event of any channel but those of books; ``sequence`` is that of the command it came from."""

    channel: str
    symbol: str | None
    sequence: int
    data: Message


class MarkBody(Message, frozen=True, kw_only=True):
    """A mark price with what it goes by; ``funding_rate`` is what would be paid if the interval ended now."""

    symbol: str
    mark_price: str
    index_price: str | None
    funding_rate: str | None
    next_funding_time_us: int | None
    time_us: int


class Shutdown(Message, frozen=True, kw_only=True):
    """The server is about to close the connection with 1012; reconnect after ``retry_ms``."""

    type: Literal["shutdown"] = "shutdown"
    reason: str
    retry_ms: int
