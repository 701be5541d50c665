"""Planted bugs, and a script that shows which test catches which."""
