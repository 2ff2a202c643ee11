"""Calls Triton's image_encoder."""

import asyncio
import struct
import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2, service_pb2_grpc

from serving.together import together
from tandem_client.channel import open_aio_channel

MODEL = "image_encoder"
# Decoding and the network take turns in the model: while one call is decoded, none is computed.
ROWS = 8
BYTES_MAX = 32 * 1024 * 1024
CALLS_IN_FLIGHT = 2
STATUS_TIMEOUT_S = 2.0


class ImageEncoder:
    """An asyncio client of one Triton, made inside an event loop.

    What goes wrong surfaces as grpc.aio.AioRpcError, NOT_FOUND or UNAVAILABLE where no image
    encoder is served.
    """

    def __init__(self, target: str) -> None:
        """Take `host:port` of Triton's gRPC service."""
        self._channel = open_aio_channel(target)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    async def encode(
        self,
        images: Sequence[bytes],
        *,
        timeout: float,  # noqa: ASYNC109  # of many calls together
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return unit vectors [images, dimension] and [images], false where one cannot be read.

        `timeout` in seconds is for all of it. No images give [0, 0] and [0].
        """
        deadline = time.monotonic() + timeout
        in_flight = asyncio.Semaphore(CALLS_IN_FLIGHT)

        async def call(rows: list[bytes]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
            async with in_flight:
                return await self._infer(rows, max(deadline - time.monotonic(), 0.001))

        if not images:
            return np.empty((0, 0), np.float32), np.empty(0, np.bool_)
        embeddings, usable = zip(*await together(map(call, _batches(images))), strict=True)
        return np.concatenate(embeddings), np.concatenate(usable)

    async def version(self) -> str:
        """Return the version of the tower that Triton has loaded."""
        request = service_pb2.ModelConfigRequest(name=MODEL)
        response = await self._stub.ModelConfig(request, timeout=STATUS_TIMEOUT_S)
        return str(response.config.parameters["encoder_version"].string_value)

    async def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        await self._channel.close(grace=None)

    async def _infer(
        self, rows: list[bytes], remaining_s: float
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        request = service_pb2.ModelInferRequest(model_name=MODEL)
        request.inputs.add(name="IMAGE", datatype="BYTES", shape=[len(rows), 1])
        request.raw_input_contents.append(
            b"".join(struct.pack("<I", len(row)) + row for row in rows)
        )
        request.parameters["timeout"].int64_param = int(remaining_s * 1e6)
        response = await self._stub.ModelInfer(request, timeout=remaining_s)
        raw = {
            output.name: content
            for output, content in zip(response.outputs, response.raw_output_contents, strict=True)
        }
        embeddings = np.frombuffer(raw["EMBEDDING"], dtype=np.float32).reshape(len(rows), -1)
        return embeddings, np.frombuffer(raw["USABLE"], dtype=np.bool_)


def _batches(images: Sequence[bytes]) -> Iterator[list[bytes]]:
    rows: list[bytes] = []
    size = 0
    for image in images:
        if rows and (len(rows) == ROWS or size + len(image) > BYTES_MAX):
            yield rows
            rows, size = [], 0
        rows.append(image)
        size += len(image)
    if rows:
        yield rows
