"""Notionals and parts of quantities in whole lots that an instrument takes; sizes by risk are in ``clients.risk``.

Units: prices in quote per base, quantities in base, notionals in the settlement currency.
"""

from __future__ import annotations

from decimal import Decimal

from clients.human_units import round_down, round_up
from clients.market_data import Instrument


def quantity_for(instrument: Instrument, notional: Decimal, price: Decimal) -> Decimal:
    """Return how much ``notional`` is at ``price``, in whole lots.

    Never below what the smallest allowed notional takes, and never above the largest allowed quantity.
    """
    per_unit = price * instrument.contract_multiplier
    smallest = max(round_up(instrument.notional_min / per_unit, instrument.lot_size), instrument.lot_size)
    wanted = round_down(notional / per_unit, instrument.lot_size)
    return min(max(wanted, smallest), instrument.quantity_max)


def scaled_quantity(instrument: Instrument, quantity: Decimal, parts: int, of: int) -> Decimal:
    """Return ``parts / of`` of ``quantity`` in whole lots, at least one lot."""
    return max(round_down(quantity * parts / of, instrument.lot_size), instrument.lot_size)
