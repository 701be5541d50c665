"""Published worked examples run through the engine's own functions."""
