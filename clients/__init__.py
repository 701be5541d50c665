"""Independent clients of the native protocol: async client, local mirrors, bots."""

from clients.backoff import Backoff
from clients.client import Client
from clients.errors import (
    ConnectFailed,
    ConnectionLost,
    EventsMissed,
    EventTimeout,
    ExchangeError,
    LoginRefused,
    MirrorNotReady,
    NotConnected,
    OrderRejected,
    ProtocolError,
    RequestRefused,
    RequestTimeout,
    StreamOverflow,
)
from clients.link import ConnectionState
from clients.requests import AmendOrder, CancelAllOrders, CancelOrder, PlaceOrder, Trigger

__all__ = [
    "AmendOrder",
    "Backoff",
    "CancelAllOrders",
    "CancelOrder",
    "Client",
    "ConnectFailed",
    "ConnectionLost",
    "ConnectionState",
    "EventTimeout",
    "EventsMissed",
    "ExchangeError",
    "LoginRefused",
    "MirrorNotReady",
    "NotConnected",
    "OrderRejected",
    "PlaceOrder",
    "ProtocolError",
    "RequestRefused",
    "RequestTimeout",
    "StreamOverflow",
    "Trigger",
]
