"""Calls a Triton model whose rows are bytes in and vectors out, each with a flag."""

import asyncio
import struct
import time
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2, service_pb2_grpc

from serving.together import together
from tandem_client.channel import open_aio_channel

STATUS_TIMEOUT_S = 2.0
BULK_PRIORITY = 2
Encoded = tuple[NDArray[np.float32], NDArray[np.bool_]]


class ByteRows:
    """One model at one Triton (or several behind one name), made inside an event loop."""

    def __init__(self, target: str, model: str, row: str, flag: str) -> None:
        """target: host:port. row, flag: the names of the input and of the flag."""
        self._channel = open_aio_channel(target)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._model = model
        self._row = row
        self._flag = flag

    async def encode(
        self,
        batches: Iterable[list[bytes]],
        in_flight: asyncio.Semaphore,
        timeout: float,  # noqa: ASYNC109  # of many calls together
        *,
        bulk: bool = False,
    ) -> Encoded:
        """Return float32 [rows, dimension] and bool [rows]; of no rows [0, 0] and [0].

        in_flight: bounds the calls that are under way. timeout: in seconds, for all of it.
        """
        deadline = time.monotonic() + timeout

        async def call(rows: list[bytes]) -> Encoded:
            async with in_flight:
                return await self._infer(rows, deadline, bulk)

        found = await together(map(call, batches))
        if not found:
            return np.empty((0, 0), np.float32), np.empty(0, np.bool_)
        if len(found) == 1:
            return found[0]
        embeddings, flags = zip(*found, strict=True)
        return np.concatenate(embeddings), np.concatenate(flags)

    async def version(self) -> str:
        """Return the version of the encoder that Triton has loaded."""
        request = service_pb2.ModelConfigRequest(name=self._model)
        response = await self._stub.ModelConfig(request, timeout=STATUS_TIMEOUT_S)
        return str(response.config.parameters["encoder_version"].string_value)

    async def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        await self._channel.close(grace=None)

    async def _infer(self, rows: list[bytes], deadline: float, bulk: bool) -> Encoded:
        remaining = max(deadline - time.monotonic(), 0.001)
        request = service_pb2.ModelInferRequest(model_name=self._model)
        request.inputs.add(name=self._row, datatype="BYTES", shape=[len(rows), 1])
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
        return embeddings, np.frombuffer(raw[self._flag], dtype=np.bool_)


def batched(rows: Iterable[bytes], rows_max: int, bytes_max: int) -> Iterator[list[bytes]]:
    """Yield rows in order, by so many rows and bytes at most; a longer row comes alone."""
    batch: list[bytes] = []
    size = 0
    for row in rows:
        if batch and (len(batch) == rows_max or size + len(row) > bytes_max):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row)
    if batch:
        yield batch
