"""The corridor: all mutable state of the core, the fill loop, liquidation, digest."""
