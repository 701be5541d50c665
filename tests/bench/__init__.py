"""Benchmarks: ``make bench``. Figures are for people; nothing here is asserted on in the test suite."""
