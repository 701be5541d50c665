"""Local pictures of the exchange, kept by subscriptions: books, marks, and one's own orders, positions, account and margin."""

from clients.mirror.book import BookMirror
from clients.mirror.market import MarkMirror, RecentEvents
from clients.mirror.mirror import Mirror
from clients.mirror.order_book import OrderBookMirror
from clients.mirror.own import AccountMirror, MarginMirror, OrderMirror, PositionMirror

__all__ = [
    "AccountMirror",
    "BookMirror",
    "MarginMirror",
    "MarkMirror",
    "Mirror",
    "OrderBookMirror",
    "OrderMirror",
    "PositionMirror",
    "RecentEvents",
]
