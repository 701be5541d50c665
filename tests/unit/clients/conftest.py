from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from clients import Backoff
from tests.unit.clients.scripted_server import ScriptedServer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    await scripted.start()
    yield scripted
    await scripted.stop()
    assert scripted.failures == []


@pytest.fixture
def at_once() -> Backoff:
    return Backoff(first_s=0.001, longest_s=0.001, tries_max=3, seed=1)
