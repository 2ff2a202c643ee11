"""How bulk work of this service makes way for its requests."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

# A service without requests for so long has the machine to itself.
QUIET_S = 2.0
# What follows Retrieve, above all ranking, happens elsewhere on perhaps the same machine.
AFTERMATH_S = 0.05
# Under requests without a gap bulk work goes on all the same, a piece in each such time.
WAIT_MOST_S = 0.5
STEP_S = 0.005


class Courtesy:
    """Knows when requests are answered. Bulk work asks it whether and when it may go on."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._last_end = -QUIET_S
        self._one_at_a_time = asyncio.Lock()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Answer a request meanwhile."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._last_end = time.monotonic()

    def quiet(self) -> bool:
        """Tell whether there has been no request for a while."""
        return self._in_flight == 0 and time.monotonic() - self._last_end >= QUIET_S

    @asynccontextmanager
    async def gap(self) -> AsyncIterator[None]:
        """Do a small piece of bulk work, alone, when no request is under way."""
        async with self._one_at_a_time:
            end = time.monotonic() + WAIT_MOST_S
            while not self._free() and time.monotonic() < end:  # noqa: ASYNC110  # time is no event
                await asyncio.sleep(STEP_S)
            yield

    def _free(self) -> bool:
        return self._in_flight == 0 and time.monotonic() - self._last_end >= AFTERMATH_S
