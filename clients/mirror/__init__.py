"""Local pictures of the exchange, kept by subscriptions: books, marks, and one's own orders, positions and account."""

from clients.mirror.book import BookMirror
from clients.mirror.market import MarkMirror, RecentEvents
from clients.mirror.mirror import Mirror
from clients.mirror.own import AccountMirror, OrderMirror, PositionMirror

__all__ = [
    "AccountMirror",
    "BookMirror",
    "MarkMirror",
    "Mirror",
    "OrderMirror",
    "PositionMirror",
    "RecentEvents",
]
