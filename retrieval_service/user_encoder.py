"""The user encoder as retrieval uses it: one user, with the tower of one release."""

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2, service_pb2_grpc

from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH
from features.release import Release
from features.tower import TowerInput
from tandem_client.channel import open_aio_channel

Float32 = npt.NDArray[np.float32]
MODEL = "user_encoder"


class UserEncoder:
    """An asyncio client of Triton's user_encoder, made inside an event loop.

    What goes wrong surfaces as grpc.aio.AioRpcError: NOT_FOUND where Triton cannot read the
    release, UNAVAILABLE when it is down or its queue is full, DEADLINE_EXCEEDED.
    """

    def __init__(self, target: str) -> None:
        """Take `host:port` of Triton's gRPC service."""
        self._channel = open_aio_channel(target)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    async def user_vector(
        self, release: Release, user: TowerInput, contents: Float32, *, timeout_s: float
    ) -> Float32:
        """Return a user's vector, float32 [W].

        contents: float32 [L, D + M], of the events' items; read where the release has no row.
        """
        unknown = user.rows < 0
        rows = user.rows.copy()
        rows[unknown] = -1 - np.arange(unknown.sum())
        unknown_vectors = contents[unknown]
        if not len(unknown_vectors):
            unknown_vectors = np.zeros((1, contents.shape[1]), np.float32)
        request = service_pb2.ModelInferRequest(model_name=MODEL)
        request.parameters["release_id"].string_param = release.release_id
        request.parameters["release_uri"].string_param = release.uri
        # Triton drops what waited in its queue for longer than this, in microseconds.
        request.parameters["timeout"].int64_param = int(timeout_s * 1e6)
        _add(request, "ROWS", rows)
        _add(request, "UNKNOWN_VECTORS", unknown_vectors)
        _add(request, "ACTIONS", user.actions)
        _add(request, "FEATURES", user.features)
        _add(request, "TIMES_MS", user.times_ms)
        _add(request, "NEXT_MS", user.next_ms)
        _add(request, "CONTEXT", user.context)
        _add(request, "LENGTH", np.array([len(rows)], np.int64))
        response = await self._stub.ModelInfer(request, timeout=timeout_s)
        return np.frombuffer(response.raw_output_contents[0], "<f4")

    async def warm_up(self, release: Release, timeout_s: float) -> None:
        """Have Triton load the release's tower, if it has not yet."""
        nothing = np.zeros(1, np.int64)
        somebody = TowerInput(
            rows=nothing,
            actions=nothing,
            features=np.zeros((1, EVENT_WIDTH), np.float32),
            times_ms=nothing,
            next_ms=nothing,
            context=np.zeros(CONTEXT_WIDTH, np.float32),
        )
        width = release.manifest["encoder"]["dimension"] + sum(release.manifest["spaces"].values())
        vectors = np.zeros((1, width), np.float32)
        await self.user_vector(release, somebody, vectors, timeout_s=timeout_s)

    async def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        await self._channel.close(grace=None)


def _add(request: service_pb2.ModelInferRequest, name: str, array: npt.NDArray[np.generic]) -> None:
    """Add a tensor of one user."""
    datatype = "INT64" if array.dtype == np.int64 else "FP32"
    request.inputs.add(name=name, datatype=datatype, shape=[1, *array.shape])
    request.raw_input_contents.append(np.ascontiguousarray(array).tobytes())
