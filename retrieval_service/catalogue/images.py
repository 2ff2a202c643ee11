"""Vectors of the images that items bring along, computed by Triton's image encoder."""

from collections.abc import Iterable
from hashlib import sha256

import grpc
import grpc.aio
import numpy as np

from features.item_vectors import SPACES_MOST
from retrieval_service.catalogue.media import check_space
from retrieval_service.catalogue.records import NewVector
from retrieval_service.catalogue.store import Store
from serving.errors import DependencyUnavailable, InvalidField
from serving.image_encoder import ImageEncoder
from serving.validation import check_size
from tandem.v1.item_pb2 import Item

IMAGE_BYTES_MAX = 4 * 1024 * 1024
HASH_DIGITS = 32


def check_images(field: str, item: Item) -> None:
    """Check the images of an item on their own. Raises InvalidField."""
    check_size(field, item.images, high=SPACES_MOST)
    for space, image in item.images.items():
        check_space(field, space)
        if space in item.vectors:
            raise InvalidField(field, f"space {space} has a vector already")
        if not 1 <= len(image) <= IMAGE_BYTES_MAX:
            problem = f"must have 1 to {IMAGE_BYTES_MAX:,} bytes, has {len(image):,}"
            raise InvalidField(f"{field}[{space}]", problem)


class Images:
    """Puts vectors in the place of images. One that was computed before is not computed again."""

    def __init__(self, store: Store, encoder: ImageEncoder, timeout_s: float) -> None:
        """timeout_s: that the images of one batch may take, in seconds."""
        self._store = store
        self._encoder = encoder
        self._timeout_s = timeout_s

    async def into_vectors(self, items: Iterable[Item]) -> None:
        """Replace the images of items by their vectors.

        Raises InvalidField where one is no image, DependencyUnavailable without an encoder.
        """
        having = [item for item in items if item.images]
        if not having:
            return
        images = {_hash(image): image for item in having for image in item.images.values()}
        try:
            version = f"image:{await self._encoder.version()}"
            known = {
                key: vector
                for key, (vector, _) in (await self._store.vectors(version, images)).items()
            }
            new = [key for key in images if key not in known]
            vectors, usable = await self._encoder.encode(
                [images[key] for key in new], timeout=self._timeout_s
            )
        except grpc.aio.AioRpcError as error:
            detail = (error.details() or error.code().name)[:200]
            raise DependencyUnavailable("image_encoder", detail) from error
        for key, vector, is_one in zip(new, vectors, usable, strict=True):
            if is_one:
                known[key] = np.asarray(vector, "<f4").tobytes()
        await self._store.add_vectors(
            [NewVector(version, key, known[key], truncated=False) for key in new if key in known]
        )
        for item in having:
            for space, image in item.images.items():
                if (key := _hash(image)) not in known:
                    problem = f"is no image that can be read (item {item.item_id!r})"
                    raise InvalidField(f"items.images[{space}]", problem)
                item.vectors[space].float32_values = known[key]
            item.ClearField("images")


def _hash(image: bytes) -> str:
    return sha256(image).hexdigest()[:HASH_DIGITS]
