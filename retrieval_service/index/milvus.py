"""A thin layer over Milvus: names, timeouts, errors. It works with Milvus Lite and with Milvus.

Differences it hides (measured with pymilvus 3.0, Milvus Lite 3.2 and Milvus 2.3.5): the asyncio
client cannot create an index on Milvus Lite, so that the synchronous one does, in a thread; Milvus
Lite returns whole rows, vectors included, unless told which fields to return.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pymilvus import AsyncMilvusClient, DataType, MilvusClient, MilvusException

from features.item_attributes import Type
from retrieval_service.filters.literals import literals
from serving.errors import DependencyUnavailable

T = TypeVar("T")
Float32 = npt.NDArray[np.float32]
logger = logging.getLogger(__name__)
# pymilvus logs a traceback for each failed call; who called decides here what a failure is worth.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

ID = "item_id"
VECTOR = "vector"
LIMIT_MAX = 16_384
# Up to here every vector is compared: exact, and quick enough. Beyond, the graph answers in
# logarithmic time, but loses candidates where a filter shuts out most items.
EXACT_ITEMS_MAX = 50_000
EF_LEAST = 128
_CONNECT_TIMEOUT_S = 5.0
# Milvus Lite answers so where it fails on its own files.
_UNEXPECTED_ERROR = 1
_OPTIONS = {
    # Milvus Lite closes connections that ping more often than every five minutes.
    "grpc.keepalive_time_ms": 330_000,
    # A server that comes back is found within seconds, not after gRPC's default of two minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 1_000,
    "grpc.max_reconnect_backoff_ms": 2_000,
}
_TYPES: Mapping[Type, tuple[DataType, dict[str, int]]] = {
    # The longest string that an item may have, and the "=" before it.
    Type.STRING: (DataType.VARCHAR, {"max_length": 1_025}),
    Type.INT64: (DataType.INT64, {}),
    Type.DOUBLE: (DataType.DOUBLE, {}),
    Type.BOOL: (DataType.INT8, {}),
}


class CollectionTorn(DependencyUnavailable):
    """Milvus Lite cannot read a collection's files, as after a kill while it wrote them."""


class Milvus:
    """A Milvus server. Methods raise DependencyUnavailable where it is down or refuses."""

    def __init__(self, uri: str, token: str = "") -> None:  # "": a server without accounts
        self._arguments = {
            "uri": uri,
            "token": token,
            "timeout": _CONNECT_TIMEOUT_S,
            "grpc_options": _OPTIONS,
            # pymilvus would share connections between clients, and between event loops.
            "dedicated": True,
        }
        self._client = AsyncMilvusClient(**self._arguments)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def collections(self) -> set[str]:
        """Return the names of all collections."""
        return set(await self._call(self._client.list_collections(retry_times=0)))

    async def create_collection(
        self,
        name: str,
        dimension: int,
        types: Mapping[str, Type],
        flags: Sequence[str],
        item_count: int,
    ) -> None:
        """Create and load a collection for about `item_count` vectors, compared by inner product.

        types: type by scalar column. flags: further columns that are true or false.
        """
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(ID, DataType.VARCHAR, is_primary=True, max_length=256)
        for column in flags:
            schema.add_field(column, DataType.BOOL)
        for column, type_ in types.items():
            data_type, parameters = _TYPES[type_]
            schema.add_field(column, data_type, **parameters)
        schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dimension)
        index = MilvusClient.prepare_index_params()
        if item_count <= EXACT_ITEMS_MAX:
            index.add_index(VECTOR, index_type="FLAT", metric_type="IP")
        else:
            graph = {"M": 16, "efConstruction": 200}
            index.add_index(VECTOR, index_type="HNSW", metric_type="IP", params=graph)

        def create() -> None:
            client = MilvusClient(**self._arguments)
            try:
                client.create_collection(
                    name, schema=schema, index_params=index, consistency_level="Bounded"
                )
            finally:
                client.close()

        await self._call(asyncio.to_thread(create))

    async def load(self, name: str) -> None:
        """Make a collection searchable. One that is already stays so.

        Raises CollectionTorn where Milvus Lite has lost it. Milvus restores its own from its log.
        """
        try:
            await self._call(self._client.load_collection(name, retry_times=0))
        except DependencyUnavailable as error:
            refused = error.__cause__
            unexpected = getattr(refused, "code", None) == _UNEXPECTED_ERROR
            if unexpected and "lite" in await self._call(self._client.get_server_version()):
                raise CollectionTorn("milvus", str(refused)) from error
            raise

    async def drop(self, name: str) -> None:
        """Drop a collection, if it exists."""
        await self._call(self._client.drop_collection(name, retry_times=0))

    async def upsert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows, each a value by column."""
        if rows:
            await self._call(self._client.upsert(name, list(rows), retry_times=0))

    async def delete(self, name: str, item_ids: Sequence[str]) -> None:
        """Delete rows; ids that are not there are no error."""
        if item_ids:
            wanted = f"{ID} in {literals(item_ids)}"
            await self._call(self._client.delete(name, filter=wanted, retry_times=0))

    async def flush(self, name: str) -> None:
        """Have what was written put into segments, which are searched faster than what is new."""
        await self._call(self._client.flush(name, retry_times=0))

    async def search(
        self,
        name: str,
        vectors_QD: Float32,  # noqa: N803
        expression: str,
        limit: int,
        *,
        consistency: str = "Bounded",
    ) -> list[list[tuple[str, float]]]:
        """Return for each vector the ids and inner products of up to `limit` items, best first.

        "Bounded" may miss what was written in the last seconds; "Strong" does not, and takes 0.2 s
        longer on Milvus.
        """
        results = await self._call(
            self._client.search(
                name,
                list(vectors_QD),
                filter=expression,
                limit=min(limit, LIMIT_MAX),
                output_fields=[ID],
                anns_field=VECTOR,
                search_params={"metric_type": "IP", "params": {"ef": max(EF_LEAST, 2 * limit)}},
                consistency_level=consistency,
                retry_times=0,
            )
        )
        return [list(zip(hits.ids, hits.distances, strict=True)) for hits in results]

    async def _call(self, work: Awaitable[T]) -> T:
        task = asyncio.current_task()
        asked_before = task.cancelling() if task else 0
        try:
            return await work
        except MilvusException as error:
            reason = " ".join(str(error.message).split())[:200]
            raise DependencyUnavailable("milvus", reason) from error
        finally:
            # pymilvus uses asyncio.wait_for, which up to Python 3.11 forgets a cancellation that
            # comes together with the answer: a loop around these calls would never end.
            if task and task.cancelling() > asked_before:
                raise asyncio.CancelledError
