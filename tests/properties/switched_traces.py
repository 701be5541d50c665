"""Random traces of a venue whose rules are switched: the same commands in other markets."""

from __future__ import annotations

from random import Random

from tests.properties.pictures import Picture
from tests.properties.switches import with_switches
from tests.properties.traces import Trace


class SwitchedTrace(Trace):
    """A trace with some of the rules of its venue turned."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.market = self.market._replace(policy=with_switches(Random(seed), self.market.policy))
        self.venue = self.market.open()
        self.picture = Picture.of(self.venue)
