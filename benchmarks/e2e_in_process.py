"""The parts of a Recommend in one process: no gRPC between them, no Triton.

`benchmarks.e2e` runs this while its stack is idle, and takes the JSON that it prints last. The
retrieval pipeline is another copy of the service's, on the same catalogue and the same Milvus; the
encoders' engines and the ranking pipeline are called directly. The gateway's own code makes the
requests, so that they are those of the stack.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import uvloop

import models as models  # before torch: it settles how its threads wait
from benchmarks.e2e_engines import TextEngine, UserEngine
from features.followed_policy import FollowedPolicy
from features.release import open_release
from gateway_service.attribution import Tokens
from gateway_service.downstream import Downstream
from gateway_service.exploration import Exploring
from gateway_service.live_counts import LiveCounts
from gateway_service.pipeline import Recommender
from gateway_service.releases import Releases as Pointers
from gateway_service.safety import Safety
from gateway_service.settings import Settings as GatewaySettings
from gateway_service.store.database import Database as UserDatabase
from gateway_service.store.token_keys import read_token_keys
from ranking_service.loaded_release import read_release as read_ranking
from ranking_service.pipeline import RankPipeline
from ranking_service.settings import Settings as RankingSettings
from retrieval_service.catalogue.catalogue import Catalogue
from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.images import Images
from retrieval_service.catalogue.media_vectors import MediaVectors
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.catalogue.view import View
from retrieval_service.encoder import Encoder
from retrieval_service.index.follower import Follower
from retrieval_service.index.indexer import Indexer
from retrieval_service.index.ledger import Ledger
from retrieval_service.index.milvus import Milvus
from retrieval_service.pipeline import RetrievePipeline
from retrieval_service.releases import Releases
from retrieval_service.settings import Settings as RetrievalSettings
from retrieval_service.user_encoder import UserEncoder
from serving.image_encoder import ImageEncoder
from serving.release_shelf import ReleaseShelf
from serving.stages import Deadline
from serving.text_encoder import TextEncoder
from tandem.v1.catalog_service_pb2 import BatchGetItemsRequest, BatchGetItemsResponse
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse

DEADLINE_S = 10.0


class Parts:
    """Retrieval, catalogue and ranking, called as the gateway calls their services."""

    def __init__(
        self, retrieve: RetrievePipeline, catalogue: Catalogue, rank: RankPipeline
    ) -> None:
        self._retrieve = retrieve
        self._catalogue = catalogue
        self._rank = rank
        # What was asked, and how long it took, call by call.
        self.asked: list[tuple[RetrieveRequest, RankRequest]] = []
        self.retrieve_ms: list[float] = []
        self.rank_ms: list[float] = []
        self._last = RetrieveRequest()

    async def Retrieve(self, request: RetrieveRequest, timeout: float) -> RetrieveResponse:  # noqa: ARG002, ASYNC109, N802
        """Find candidates."""
        self._last = request
        start = time.perf_counter()
        found = await self._retrieve.retrieve(request, Deadline(DEADLINE_S))
        self.retrieve_ms.append((time.perf_counter() - start) * 1e3)
        return found

    async def Rank(self, request: RankRequest, timeout: float) -> RankResponse:  # noqa: ARG002, ASYNC109, N802
        """Rank candidates."""
        self.asked.append((self._last, request))
        start = time.perf_counter()
        ranked = await self._rank.rank(request, Deadline(DEADLINE_S))
        self.rank_ms.append((time.perf_counter() - start) * 1e3)
        return ranked

    async def BatchGetItems(  # noqa: N802
        self,
        request: BatchGetItemsRequest,
        timeout: float,  # noqa: ARG002, ASYNC109
    ) -> BatchGetItemsResponse:
        """Return items of the catalogue."""
        return BatchGetItemsResponse(items=await self._catalogue.get(request.item_ids))

    async def both(self, asked: tuple[RetrieveRequest, RankRequest]) -> None:
        """Retrieve, then rank, what was asked once already."""
        await self._retrieve.retrieve(asked[0], Deadline(DEADLINE_S))
        await self._rank.rank(asked[1], Deadline(DEADLINE_S))


@asynccontextmanager
async def parts_of(state: Path, release: Path, encoder: Path, milvus: str) -> AsyncIterator[Parts]:
    """Put the parts together on a stack's state."""
    opened = open_release(release, verify=False)
    store = Store(database := Database(f"sqlite:///{state / 'retrieval' / 'catalogue.db'}"))
    rules = FollowedPolicy("", None)
    view = View(store, rules.policy)
    await view.refresh()
    engine = TextEngine(encoder, opened.encoder_version)
    encode = Encoder(cast(TextEncoder, engine), DEADLINE_S)
    users = cast(UserEncoder, UserEngine(opened))
    vectors, media, index = Vectors(store, encode), MediaVectors(store), Milvus(milvus)
    ledger, exact = Ledger(database, "benchmark"), RetrievalSettings().exact_items_max
    follower = Follower(store, view, ledger, index, exact_items_max=exact)
    indexer = Indexer(follower, view, ledger, index)

    async def on_change(ready: bool) -> None:
        """Tell nobody."""

    indexing = asyncio.create_task(indexer.run(1.0))
    held = Releases(vectors, media, indexer, users, on_change).shelf
    held.load(opened.uri)
    retrieve = RetrievePipeline(held, view, vectors, media, indexer, encode, users, rules)
    settings = RankingSettings()
    torch.set_num_threads(1)  # as in the service
    loaded = await asyncio.to_thread(read_ranking, opened.uri, settings.engine, settings.threads)

    async def read(uri: str) -> Any:  # noqa: ARG001
        return loaded

    async def drop(_: Any) -> None:
        """Keep it."""

    shelf: ReleaseShelf[Any] = ReleaseShelf(
        lambda _: (opened.release_id, {}), read, drop, on_change
    )
    shelf.load(opened.uri)
    rank = RankPipeline(
        shelf,
        queue_max=settings.queue_max,
        batch_tokens=settings.batch_tokens,
        diversity=settings.diversity,
        tried=settings.influences,
    )
    while not (held.ready() and shelf.ready()):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    # No item is written here, and none brings an image.
    images = Images(store, cast(ImageEncoder, None), DEADLINE_S)
    yield Parts(retrieve, Catalogue(store, vectors, images, view), rank)
    indexing.cancel()
    rank.close()
    await index.close()


async def recommender_of(state: Path, parts: Parts) -> Recommender:
    """Return a gateway's recommender that calls the parts."""
    database = UserDatabase(f"sqlite:///{state / 'gateway' / 'users.db'}")
    downstream = Downstream(cast(Any, parts), cast(Any, parts), cast(Any, parts), ())
    pointers = Pointers(database)
    await pointers.refresh()
    live = LiveCounts(database)
    await live.refresh(pointers.held())
    return Recommender(
        GatewaySettings(),
        pointers,
        database,
        downstream,
        Tokens(await database.write(read_token_keys)),
        live,
        Exploring(database, GatewaySettings().exploration_share),
        Safety(FollowedPolicy("", None)),
    )


async def measure(
    parts: Parts, recommender: Recommender, users: Sequence[str], callers: Sequence[int]
) -> dict[str, Any]:
    """Return the parts' times for one caller, and the rate of both with several."""
    whole: list[float] = []
    for place, user in enumerate(users):
        start = time.perf_counter()
        request = RecommendRequest(user_id=user, item_count=10)
        answer = await recommender.recommend(request, Deadline(DEADLINE_S))
        whole.append((time.perf_counter() - start) * 1e3)
        if answer.degraded:
            raise RuntimeError(f"degraded in process: {answer.skipped_stages}")
        if place == len(users) // 10:
            # What came until here was warming up.
            for warm in (whole, parts.retrieve_ms, parts.rank_ms):
                warm.clear()
    both = np.array(parts.retrieve_ms) + np.array(parts.rank_ms)
    rates = {}
    for count in callers:
        waiting = list(parts.asked)

        async def call_on(waiting: list[tuple[RetrieveRequest, RankRequest]] = waiting) -> None:
            while waiting:
                await parts.both(waiting.pop())

        start = time.perf_counter()
        await asyncio.gather(*(call_on() for _ in range(count)))
        rates[str(count)] = len(parts.asked) / (time.perf_counter() - start)
    return {
        "retrieve_ms": float(np.median(parts.retrieve_ms)),
        "rank_ms": float(np.median(parts.rank_ms)),
        "both_ms": float(np.median(both)),
        "recommend_ms": float(np.median(whole)),
        "requests_per_s": rates,
    }


async def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    users = json.loads(arguments.users.read_text())
    async with parts_of(
        arguments.state, arguments.release, arguments.encoder, arguments.milvus
    ) as parts:
        recommender = await recommender_of(arguments.state, parts)
        print(json.dumps(await measure(parts, recommender, users, arguments.callers)))


def main() -> None:
    """Read the arguments, which benchmarks.e2e gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("state", "release", "encoder", "users"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--milvus", required=True)
    parser.add_argument("--callers", type=int, nargs="*", default=[])
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
