"""Bots that trade over the public API."""
