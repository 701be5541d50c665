"""Room 1, the exchange floor: price-time order books that know nothing of money."""
