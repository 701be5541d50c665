"""How hard the property tests try: a fixed small search in the suite, a random long one on demand.

`RINGFENCE_SOAK_EXAMPLES=2000 pytest tests/properties` draws new random examples, that many per test; seeded runs begin at
`RINGFENCE_SOAK_SEED`, so that a long search can be split.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SOAK_EXAMPLES = int(os.environ.get("RINGFENCE_SOAK_EXAMPLES", "0"))
SOAK_SEED = int(os.environ.get("RINGFENCE_SOAK_SEED", "0"))


def profile(examples: int) -> settings:
    """Settings for a test that takes `examples` in the suite."""
    return settings(
        max_examples=SOAK_EXAMPLES or examples,
        derandomize=not SOAK_EXAMPLES,
        database=None,
        deadline=None,
        print_blob=bool(SOAK_EXAMPLES),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


DIRECTED = profile(120)
