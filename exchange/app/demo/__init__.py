"""The demo: a real exchange, bots as real clients, a crash, and an account of what became of everyone."""
