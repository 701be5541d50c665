"""Every message of the native protocol, in one schema for both encodings (WIRE rules of SPEC.md).

Prices, quantities, money and rates are decimal strings; times are whole microseconds since the Unix epoch; ids of the
venue's making are whole numbers. No float and no ``Decimal`` field exists. Unknown keys are errors.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from exchange.domain.ids import ID_PATTERN

INTEGER_MAX = 2**53 - 1
"""The largest whole number on the wire: what every language's number type holds exactly."""
SUBSCRIPTIONS_MAX = 256
MARKS_PER_UPDATE_MAX = 64
LIST_LIMIT_MAX = 500
DEPTH_MAX = 200

PROTOCOL_VERSION = 1
SUBPROTOCOL_MSGPACK = "exchange.v1.msgpack"
SUBPROTOCOL_JSON = "exchange.v1.json"

Id: TypeAlias = Annotated[str, Meta(pattern=ID_PATTERN, max_length=36)]
WholeId: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
RequestId: TypeAlias = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)] | Annotated[str, Meta(max_length=64)]
DecimalText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40)]
SymbolText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=36)]
TimeUs: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
SideText: TypeAlias = Literal["buy", "sell"]
MarginModeText: TypeAlias = Literal["cross", "isolated"]
Channel: TypeAlias = Literal["book", "trades", "ticker", "mark", "liquidations", "orders", "fills", "positions", "account"]
PUBLIC_CHANNELS = frozenset({"book", "trades", "ticker", "mark", "liquidations"})
PRIVATE_CHANNELS = frozenset({"orders", "fills", "positions", "account"})


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of all request parameters."""


class NoParams(Params, frozen=True, kw_only=True):
    """For methods that take nothing."""


class LoginParams(Params, frozen=True, kw_only=True):
    """``signature`` is hex HMAC-SHA256 of the login text under the key's secret (WIRE-004)."""

    key: Id
    time_ms: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
    signature: Annotated[str, Meta(max_length=128)]


class SubscriptionParams(Params, frozen=True, kw_only=True):
    """A channel; a public one for one symbol or for all of them, a private one without a symbol."""

    channel: Channel
    symbol: SymbolText | None = None


class PlaceParams(Params, frozen=True, kw_only=True):
    """An order to enter; ``limit_price`` only with ``limit``."""

    symbol: SymbolText
    side: SideText
    quantity: DecimalText
    order_type: Literal["limit", "market"] = "limit"
    limit_price: DecimalText | None = None
    time_in_force: Literal["gtc", "ioc", "fok"] = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    self_trade_prevention: Literal["cancel_taker", "cancel_maker", "cancel_both"] = "cancel_taker"
    client_order_id: Id | None = None


class OrderReferenceParams(Params, frozen=True, kw_only=True):
    """One order of the account, by exactly one of its two ids."""

    order_id: WholeId | None = None
    client_order_id: Id | None = None


class SymbolFilterParams(Params, frozen=True, kw_only=True):
    """One symbol, or all of them."""

    symbol: SymbolText | None = None


class OrderListParams(Params, frozen=True, kw_only=True):
    """Open orders, always all of them, or the ``limit`` most recently ended ones; oldest first."""

    symbol: SymbolText | None = None
    status: Literal["open", "ended"] = "open"
    limit: Annotated[int, Meta(ge=1, le=LIST_LIMIT_MAX)] = 100


class SetMarginModeParams(Params, frozen=True, kw_only=True):
    """The collateral to stand behind the account's position in a symbol."""

    symbol: SymbolText
    margin_mode: MarginModeText


class SetLeverageParams(Params, frozen=True, kw_only=True):
    """The leverage of the account's position in a symbol."""

    symbol: SymbolText
    leverage: Annotated[int, Meta(ge=1, le=1000)]


class MarginAmountParams(Params, frozen=True, kw_only=True):
    """How much to move between the cross wallet and an isolated position."""

    symbol: SymbolText
    amount: DecimalText


class BookParams(Params, frozen=True, kw_only=True):
    """The best ``depth`` price levels of each side."""

    symbol: SymbolText
    depth: Annotated[int, Meta(ge=1, le=DEPTH_MAX)] = 20


class TradesParams(Params, frozen=True, kw_only=True):
    """The most recent trades, newest last."""

    symbol: SymbolText
    limit: Annotated[int, Meta(ge=1, le=LIST_LIMIT_MAX)] = 50


class SymbolParams(Params, frozen=True, kw_only=True):
    """One symbol."""

    symbol: SymbolText


class SetMarkParams(Params, frozen=True, kw_only=True):
    """New marks by symbol; several in one update count as one."""

    marks: Annotated[dict[SymbolText, DecimalText], Meta(min_length=1, max_length=MARKS_PER_UPDATE_MAX)]


class CreditParams(Params, frozen=True, kw_only=True):
    """A deposit into an account, or into ``insurance_fund``."""

    account: Id
    amount: DecimalText


class CreateAccountParams(Params, frozen=True, kw_only=True):
    """A new account; the server makes a key and secret unless both are given."""

    account: Id
    key: Id | None = None
    secret: Annotated[str, Meta(min_length=8, max_length=128)] | None = None


class AdvanceParams(Params, frozen=True, kw_only=True):
    """How far to move the virtual clock."""

    duration_us: Annotated[int, Meta(ge=1, le=INTEGER_MAX)]


class SetTimeParams(Params, frozen=True, kw_only=True):
    """Where to move the virtual clock to; never backward."""

    time_us: TimeUs


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="method"):
    """The base of all requests: ``{id, method, params}``."""

    id: RequestId


class Ping(Request, frozen=True, kw_only=True, tag="ping"):
    """Answered with the server's time; every event sent before it has arrived by then."""

    params: NoParams = NoParams()


class Login(Request, frozen=True, kw_only=True, tag="session.login"):
    """Bind this connection to a key's account and scopes."""

    params: LoginParams


class Subscribe(Request, frozen=True, kw_only=True, tag="subscribe"):
    """Receive a channel; those that show a state begin with the present one, before the reply (WIRE-009)."""

    params: SubscriptionParams


class Unsubscribe(Request, frozen=True, kw_only=True, tag="unsubscribe"):
    """Stop receiving a channel."""

    params: SubscriptionParams


class OrderPlace(Request, frozen=True, kw_only=True, tag="order.place"):
    """Enter an order."""

    params: PlaceParams


class OrderCancel(Request, frozen=True, kw_only=True, tag="order.cancel"):
    """Cancel one order."""

    params: OrderReferenceParams


class OrderCancelAll(Request, frozen=True, kw_only=True, tag="order.cancel_all"):
    """Cancel every open order, on one symbol or on all."""

    params: SymbolFilterParams = SymbolFilterParams()


class OrderGet(Request, frozen=True, kw_only=True, tag="order.get"):
    """Read one order."""

    params: OrderReferenceParams


class OrderList(Request, frozen=True, kw_only=True, tag="order.list"):
    """Read open or recently ended orders."""

    params: OrderListParams = OrderListParams()


class AccountGet(Request, frozen=True, kw_only=True, tag="account.get"):
    """Read the account's cross pool."""

    params: NoParams = NoParams()


class AccountPositions(Request, frozen=True, kw_only=True, tag="account.positions"):
    """Read the account's positions and per-symbol settings."""

    params: SymbolFilterParams = SymbolFilterParams()


class AccountSetMarginMode(Request, frozen=True, kw_only=True, tag="account.set_margin_mode"):
    """Choose cross or isolated for a symbol."""

    params: SetMarginModeParams


class AccountSetLeverage(Request, frozen=True, kw_only=True, tag="account.set_leverage"):
    """Choose the leverage for a symbol."""

    params: SetLeverageParams


class AccountAddMargin(Request, frozen=True, kw_only=True, tag="account.add_margin"):
    """Move money into an isolated position."""

    params: MarginAmountParams


class AccountRemoveMargin(Request, frozen=True, kw_only=True, tag="account.remove_margin"):
    """Move money out of an isolated position."""

    params: MarginAmountParams


class MarketInstruments(Request, frozen=True, kw_only=True, tag="market.instruments"):
    """Read what can be traded, with every limit."""

    params: NoParams = NoParams()


class MarketBook(Request, frozen=True, kw_only=True, tag="market.book"):
    """Read the order book."""

    params: BookParams


class MarketTrades(Request, frozen=True, kw_only=True, tag="market.trades"):
    """Read recent trades."""

    params: TradesParams


class MarketTicker(Request, frozen=True, kw_only=True, tag="market.ticker"):
    """Read best prices, last trade, mark and open interest."""

    params: SymbolParams


class AdminSetMark(Request, frozen=True, kw_only=True, tag="admin.set_mark"):
    """Set mark prices; answered once every liquidation that follows is done."""

    params: SetMarkParams


class AdminCredit(Request, frozen=True, kw_only=True, tag="admin.credit"):
    """Deposit from outside."""

    params: CreditParams


class AdminCreateAccount(Request, frozen=True, kw_only=True, tag="admin.create_account"):
    """Open an account with a key of its own."""

    params: CreateAccountParams


class AdminAdvance(Request, frozen=True, kw_only=True, tag="admin.advance"):
    """Move the virtual clock by a duration."""

    params: AdvanceParams


class AdminSetTime(Request, frozen=True, kw_only=True, tag="admin.set_time"):
    """Move the virtual clock to a time."""

    params: SetTimeParams


class AdminState(Request, frozen=True, kw_only=True, tag="admin.state"):
    """Read sequence, digest, clock, fees and insurance fund."""

    params: NoParams = NoParams()


AnyRequest: TypeAlias = (
    Ping
    | Login
    | Subscribe
    | Unsubscribe
    | OrderPlace
    | OrderCancel
    | OrderCancelAll
    | OrderGet
    | OrderList
    | AccountGet
    | AccountPositions
    | AccountSetMarginMode
    | AccountSetLeverage
    | AccountAddMargin
    | AccountRemoveMargin
    | MarketInstruments
    | MarketBook
    | MarketTrades
    | MarketTicker
    | AdminSetMark
    | AdminCredit
    | AdminCreateAccount
    | AdminAdvance
    | AdminSetTime
    | AdminState
)


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
    """The collateral behind the account's position in a symbol from now on."""

    symbol: str
    margin_mode: MarginModeText


class LeverageResult(Message, frozen=True, kw_only=True):
    """The leverage of the account's position in a symbol from now on."""

    symbol: str
    leverage: int


class MarginMoveResult(Message, frozen=True, kw_only=True):
    """What moved into (positive) or out of (negative) an isolated wallet, and both wallets after it."""

    symbol: str
    amount: str
    isolated_wallet: str
    wallet_balance: str


class CreditResult(Message, frozen=True, kw_only=True):
    """A deposit and the wallet after it."""

    account: str
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


class OrderBody(Message, frozen=True, kw_only=True):
    """An order as its owner sees it."""

    order_id: int
    client_order_id: str | None
    symbol: str
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


class PlaceResult(Message, frozen=True, kw_only=True):
    """What became of an accepted order by the end of its command."""

    order: OrderBody
    margin: DecisionBody
    repeated: bool
    """True when the client order id had been used for this same order before and nothing was done."""


class CancelAllResult(Message, frozen=True, kw_only=True):
    """How many orders were canceled."""

    canceled: int


class AccountBody(Message, frozen=True, kw_only=True):
    """An account's cross pool; ``total_equity`` adds the isolated scopes."""

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


class PositionBody(Message, frozen=True, kw_only=True):
    """One position with the health of the scope behind it; ``quantity`` is signed."""

    symbol: str
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


class TierBody(Message, frozen=True, kw_only=True):
    """One leverage bracket."""

    notional_floor: str
    maintenance_rate: str
    max_leverage: int
    maintenance_amount: str


class InstrumentBody(Message, frozen=True, kw_only=True):
    """An instrument and its limits."""

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
    time_us: int


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


class LiquidationBody(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a liquidation. ``step`` says which; fields that a step does not have are left out."""

    step: Literal["started", "orders_canceled", "order_settled", "transferred", "finished"]
    liquidation_id: int
    time_us: int
    account: str | None = None
    path: MarginModeText | None = None
    symbol: str | None = None
    side: SideText | None = None
    quantity: str | None = None
    filled: str | None = None
    bankruptcy_price: str | None = None
    venue: Literal["fund", "auto_deleverage", "residual"] | None = None
    counterparty: str | None = None
    fee: str | None = None
    fund_change: str | None = None
    returned: str | None = None
    orders: int | None = None
    book_quantity: dict[str, str] | None = None
    fund_quantity: dict[str, str] | None = None
    deleveraged_quantity: dict[str, str] | None = None
    equity: str | None = None
    maintenance_margin: str | None = None
    equity_before: str | None = None
    maintenance_margin_before: str | None = None


class BookUpdate(Message, frozen=True, kw_only=True):
    """``snapshot`` replaces the book; ``delta`` replaces the levels it names (quantity "0" removes one).

    ``sequence`` is that of the command that changed the book last. A delta follows the message whose ``sequence`` is its
    ``previous_sequence``; in a snapshot both are equal. A snapshot may come at any time.
    """

    channel: Literal["book"] = "book"
    type: Literal["snapshot", "delta"]
    symbol: str
    sequence: int
    previous_sequence: int
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    time_us: int


class ChannelUpdate(Message, frozen=True, kw_only=True):
    """One event of any channel but ``book``; ``sequence`` is that of the command it came from."""

    channel: str
    symbol: str | None
    sequence: int
    data: Message


class MarkBody(Message, frozen=True, kw_only=True):
    """A new mark price."""

    symbol: str
    mark_price: str
    time_us: int


class Shutdown(Message, frozen=True, kw_only=True):
    """The server is about to close the connection with 1012; reconnect after ``retry_ms``."""

    type: Literal["shutdown"] = "shutdown"
    reason: str
    retry_ms: int
