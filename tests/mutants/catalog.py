"""Every planted bug, package by package."""

from __future__ import annotations

from tests.mutants import in_accounts, in_domain, in_liquidation, in_matching, in_triggers, in_venue
from tests.mutants.planting import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *in_domain.MUTANTS,
    *in_matching.MUTANTS,
    *in_accounts.MUTANTS,
    *in_liquidation.MUTANTS,
    *in_triggers.MUTANTS,
    *in_venue.MUTANTS,
)
