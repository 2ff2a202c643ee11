"""The encoders of a release called in this process, with the calls of the clients of Triton."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.environment import ROOT
from features.release import Release
from features.tower import TowerInput

sys.path.append(str(ROOT / "encoder_model_repo" / "text_encoder" / "1"))
sys.path.append(str(ROOT / "encoder_model_repo" / "user_encoder" / "1"))

from text_encoding.encoder import Encoder
from user_encoding.tower import Tower
from user_encoding.users import Users

Float32 = npt.NDArray[np.float32]


class TextEngine:
    """`serving.text_encoder.TextEncoder` without Triton: the same engine, in a thread."""

    def __init__(self, encoder_dir: Path, version: str) -> None:
        self._encoder = Encoder.load({"encoder_dir": str(encoder_dir)}, "cpu")
        self._version = version
        # The engine runs one batch at a time.
        self._one = asyncio.Lock()

    async def version(self) -> str:
        """Return the version of the encoder."""
        return self._version

    async def encode(
        self,
        texts: Sequence[str],
        *,
        timeout: float,  # noqa: ARG002, ASYNC109
        bulk: bool = False,  # noqa: ARG002
    ) -> tuple[Float32, npt.NDArray[np.bool_]]:
        """Return unit vectors [texts, dimension] and [texts], true where text was left out."""
        async with self._one:
            return await asyncio.to_thread(self._encoder.encode, [text.encode() for text in texts])


class UserEngine:
    """`retrieval_service.user_encoder.UserEncoder` without Triton."""

    def __init__(self, release: Release) -> None:
        parameters = {"releases_root": "/", "engine": "auto", "threads": "1"}
        self._tower = Tower.load(release.release_id, release.uri, parameters, "cpu")
        self._one = asyncio.Lock()

    async def user_vector(
        self,
        release: Release,  # noqa: ARG002
        user: TowerInput,
        contents: Float32,
        *,
        timeout_s: float,  # noqa: ARG002
    ) -> Float32:
        """Return a user's vector, float32 [W]."""
        unknown = user.rows < 0
        rows = user.rows.copy()
        rows[unknown] = -1 - np.arange(unknown.sum())
        vectors = contents[unknown] if unknown.any() else np.zeros((1, contents.shape[1]), "<f4")
        users = Users(
            rows=rows[None],
            unknown_vectors=vectors[None],
            actions=user.actions[None],
            features=user.features[None],
            times_ms=user.times_ms[None],
            next_ms=user.next_ms[None],
            context=user.context[None],
            length=np.array([len(rows)]),
        )
        async with self._one:
            found: Float32 = await asyncio.to_thread(self._tower.vectors, users)
        return np.asarray(found[0])

    async def warm_up(self, release: Release, timeout_s: float) -> None:
        """Do nothing: it is loaded."""
