"""Calls Triton's image_encoder."""

import asyncio
from collections.abc import Sequence

from serving.byte_rows import ByteRows, Encoded, batched

# Decoding and the network take turns in the model: while one call is decoded, none is computed.
ROWS = 8
BYTES_MAX = 32 * 1024 * 1024
CALLS_IN_FLIGHT = 2


class ImageEncoder:
    """An asyncio client of one Triton, made inside an event loop.

    What goes wrong surfaces as grpc.aio.AioRpcError, NOT_FOUND or UNAVAILABLE where no image
    encoder is served.
    """

    def __init__(self, target: str) -> None:
        """Take `host:port` of Triton's gRPC service."""
        self._model = ByteRows(target, "image_encoder", "IMAGE", "USABLE")

    async def encode(
        self,
        images: Sequence[bytes],
        *,
        timeout: float,  # noqa: ASYNC109  # of many calls together
    ) -> Encoded:
        """Return unit vectors [images, dimension] and [images], false where one cannot be read.

        `timeout` in seconds is for all of it. No images give [0, 0] and [0].
        """
        in_flight = asyncio.Semaphore(CALLS_IN_FLIGHT)
        return await self._model.encode(batched(images, ROWS, BYTES_MAX), in_flight, timeout)

    async def version(self) -> str:
        """Return the version of the tower that Triton has loaded."""
        return await self._model.version()

    async def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        await self._model.close()
