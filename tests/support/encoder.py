"""Hand-written stand-ins for the clients of the text and the image encoder."""

import asyncio
from collections.abc import Sequence

import grpc
import grpc.aio
import numpy as np
import numpy.typing as npt

from features.item_text import text_hash

DIMENSION = 8
CUT_BEYOND = 200


class FakeTextEncoder:
    """Makes vectors from the texts' hashes, remembers what it was asked, and can be down.

    held: texts that are not answered before `release` is set.
    """

    def __init__(self, version: str = "fake-1") -> None:
        self.served_version = version
        self.down = False
        self.texts: list[str] = []
        self.held: set[str] = set()
        self.release = asyncio.Event()

    async def version(self) -> str:
        self._answer()
        return self.served_version

    async def encode(
        self,
        texts: Sequence[str],
        *,
        timeout: float,  # noqa: ASYNC109
        bulk: bool = False,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        self._answer()
        self.texts += texts
        if self.held & set(texts):
            await self.release.wait()
        vectors = np.stack([fake_vector(text) for text in texts])
        return vectors, np.array([len(text) > CUT_BEYOND for text in texts])

    async def close(self) -> None:
        """There is nothing to close."""

    def _answer(self) -> None:
        if self.down:
            nothing = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, "down")


class FakeImageEncoder(FakeTextEncoder):
    """Makes vectors from images' bytes; every image can be read."""

    def __init__(self) -> None:
        super().__init__("fake-tower")
        self.images: list[bytes] = []

    async def encode(  # type: ignore[override]
        self,
        images: Sequence[bytes],
        *,
        timeout: float,  # noqa: ASYNC109
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        self._answer()
        self.images += images
        found = [fake_vector(image.hex()) for image in images]
        return np.array(found, np.float32), np.ones(len(images), np.bool_)


def fake_vector(text: str) -> npt.NDArray[np.float32]:
    """Return a unit vector that depends on the text alone."""
    random = np.random.default_rng(int(text_hash(text), 16))
    vector = random.normal(size=DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float32)
