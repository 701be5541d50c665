"""Around the core: sequencer, clocks, feeds folded from events, mark paths."""
