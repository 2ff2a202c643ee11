"""Texts to vectors, through the same Triton model that serving asks."""

import asyncio
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from serving.text_encoder import TextEncoder
from training.progress import Say, tracked

AT_ONCE = 512
TIMEOUT_S = 120.0


def encode_texts(
    target: str, texts: Sequence[str], say: Say
) -> tuple[npt.NDArray[np.float32], str]:
    """Return vectors, float32 [texts, D] with zeros for "", and the encoder's version.

    target: host:port of a Triton that serves `text_encoder`.
    """
    return asyncio.run(_encode(target, texts, say))


async def _encode(
    target: str, texts: Sequence[str], say: Say
) -> tuple[npt.NDArray[np.float32], str]:
    encoder = TextEncoder(target)
    try:
        version = await encoder.version()
        # Whatever a text of nothing gives, it means nothing: only its width is kept.
        width = (await encoder.encode([""], timeout=TIMEOUT_S))[0].shape[1]
        vectors = np.zeros((len(texts), width), np.float32)
        filled = [place for place, text in enumerate(texts) if text]
        starts = range(0, len(filled), AT_ONCE)
        for start in tracked(starts, len(starts), "encoding texts, batches", say):
            some = filled[start : start + AT_ONCE]
            found, _ = await encoder.encode(
                [texts[place] for place in some], timeout=TIMEOUT_S, bulk=True
            )
            vectors[some] = found
        return vectors, version
    finally:
        await encoder.close()
