"""Calls Triton's text_encoder."""

import asyncio
import struct
import time
from collections.abc import Iterator, Sequence

import grpc.aio
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2, service_pb2_grpc

from serving.together import together
from tandem_client.channel import open_aio_channel

ROWS_MAX = 64  # max_batch_size of the model
BYTES_MAX = 4 * 1024 * 1024
# So much bulk work is at the encoder at once: enough that it finds texts of similar length, and few
# beside what others may send.
BULK_ROWS = 16
BULK_CALLS_IN_FLIGHT = 8
CALLS_IN_FLIGHT = 2
BULK_PRIORITY = 2
STATUS_TIMEOUT_S = 2.0


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
        self._channel = open_aio_channel(target)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._model = model
        self._bulk_rows = bulk_rows
        self._bulk_in_flight = asyncio.Semaphore(bulk_calls_in_flight)

    async def encode(
        self,
        texts: Sequence[str],
        *,
        timeout: float,  # noqa: ASYNC109  # of many calls together
        bulk: bool = False,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return unit vectors [texts, dimension] and [texts], true where text was left out.

        `timeout` in seconds is for all of it. Bulk work yields to online work. No texts give
        [0, 0] and [0].
        """
        deadline = time.monotonic() + timeout
        # Bulk work is one queue, whoever it comes from.
        in_flight = self._bulk_in_flight if bulk else asyncio.Semaphore(CALLS_IN_FLIGHT)

        async def call(rows: list[bytes]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
            async with in_flight:
                return await self._infer(rows, deadline, bulk)

        batches = list(_batches(texts, self._bulk_rows if bulk else ROWS_MAX))
        if not batches:
            return np.empty((0, 0), dtype=np.float32), np.empty(0, dtype=np.bool_)
        if len(batches) == 1:
            return await call(batches[0])
        embeddings, truncated = zip(*await together(map(call, batches)), strict=True)
        return np.concatenate(embeddings), np.concatenate(truncated)

    async def version(self) -> str:
        """Return the version of the encoder that Triton has loaded."""
        request = service_pb2.ModelConfigRequest(name=self._model)
        response = await self._stub.ModelConfig(request, timeout=STATUS_TIMEOUT_S)
        return str(response.config.parameters["encoder_version"].string_value)

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
        await self._channel.close(grace=None)

    async def _infer(
        self, rows: list[bytes], deadline: float, bulk: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        remaining = max(deadline - time.monotonic(), 0.001)
        request = service_pb2.ModelInferRequest(model_name=self._model)
        request.inputs.add(name="TEXT", datatype="BYTES", shape=[len(rows), 1])
        request.raw_input_contents.append(
            b"".join(struct.pack("<I", len(row)) + row for row in rows)
        )
        # Triton drops what waited in its queue for longer than this, in microseconds.
        request.parameters["timeout"].int64_param = int(remaining * 1e6)
        if bulk:
            # For Triton's queue, and for the model, to which Triton does not tell a priority.
            request.parameters["priority"].uint64_param = BULK_PRIORITY
            request.parameters["bulk"].bool_param = True
        response = await self._stub.ModelInfer(request, timeout=remaining)
        raw = {
            output.name: content
            for output, content in zip(response.outputs, response.raw_output_contents, strict=True)
        }
        embeddings = np.frombuffer(raw["EMBEDDING"], dtype=np.float32).reshape(len(rows), -1)
        return embeddings, np.frombuffer(raw["TRUNCATED"], dtype=np.bool_)


def _batches(texts: Sequence[str], rows_max: int) -> Iterator[list[bytes]]:
    rows: list[bytes] = []
    size = 0
    for text in texts:
        # A lone surrogate has no UTF-8; it becomes a question mark.
        row = text.encode("utf-8", errors="replace")
        if rows and (len(rows) == rows_max or size + len(row) > BYTES_MAX):
            yield rows
            rows, size = [], 0
        rows.append(row)
        size += len(row)
    if rows:
        yield rows
