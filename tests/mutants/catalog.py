"""Every planted bug, package by package."""

from __future__ import annotations

from tests.mutants import in_matching, in_venue
from tests.mutants.planting import Mutant

MUTANTS: tuple[Mutant, ...] = (*in_matching.MUTANTS, *in_venue.MUTANTS)
