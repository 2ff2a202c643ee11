"""Calls Triton's text_encoder."""

import asyncio
from collections.abc import Sequence

import grpc.aio

from serving.byte_rows import STATUS_TIMEOUT_S, ByteRows, Encoded, batched

ROWS_MAX = 64  # max_batch_size of the model
BYTES_MAX = 4 * 1024 * 1024
# So much bulk work is at the encoder at once: enough that it finds texts of similar length, and few
# beside what others may send.
BULK_ROWS = 16
BULK_CALLS_IN_FLIGHT = 8
CALLS_IN_FLIGHT = 2


class TextEncoder:
    """An asyncio client of one Triton (or several behind one name), made inside an event loop.

    What goes wrong surfaces as grpc.aio.AioRpcError: DEADLINE_EXCEEDED when the time is over,
    UNAVAILABLE when Triton is down, its queue is full or its queue timeout passed.
    """

    def __init__(
        self,
        target: str,
        *,
        model: str = "text_encoder",
        bulk_rows: int = BULK_ROWS,
        bulk_calls_in_flight: int = BULK_CALLS_IN_FLIGHT,
    ) -> None:
        """Take `host:port` of Triton's gRPC service; larger numbers suit a GPU better."""
        self._model = ByteRows(target, model, "TEXT", "TRUNCATED")
        self._bulk_rows = bulk_rows
        self._bulk_in_flight = asyncio.Semaphore(bulk_calls_in_flight)

    async def encode(
        self,
        texts: Sequence[str],
        *,
        timeout: float,  # noqa: ASYNC109  # of many calls together
        bulk: bool = False,
    ) -> Encoded:
        """Return unit vectors [texts, dimension] and [texts], true where text was left out.

        `timeout` in seconds is for all of it. Bulk work yields to online work. No texts give
        [0, 0] and [0].
        """
        # Bulk work is one queue, whoever it comes from.
        in_flight = self._bulk_in_flight if bulk else asyncio.Semaphore(CALLS_IN_FLIGHT)
        # A lone surrogate has no UTF-8; it becomes a question mark.
        rows = (text.encode("utf-8", errors="replace") for text in texts)
        batches = batched(rows, self._bulk_rows if bulk else ROWS_MAX, BYTES_MAX)
        return await self._model.encode(batches, in_flight, timeout, bulk=bulk)

    async def version(self) -> str:
        """Return the version of the encoder that Triton has loaded."""
        return await self._model.version()

    async def ready(self) -> bool:
        """Tell whether a text is encoded within 2 s.

        Triton's own readiness is not asked: it stays true when the encoder's process has died.
        """
        try:
            await self.encode([""], timeout=STATUS_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return False
        return True

    async def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        await self._model.close()
