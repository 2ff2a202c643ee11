"""New items in a few places of the lists, so that the system learns what they are worth."""

import random

from features.chance import seed_of
from features.release import Release
from gateway_service.store.database import Database
from gateway_service.store.trials import read_trials
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.ranking_service_pb2 import Exploration, ItemTrial
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.retrieval_service_pb2 import RetrieveResponse

# An item that fewer people used when the release learned is new to it.
NEW_USES = 3
# Whoever has had so many trials is new no longer.
TRIALS_MOST = 100


class Exploring:
    """Says which places of a list are for exploration, and what is known of the new items."""

    def __init__(self, database: Database, share: float) -> None:
        """share: of the places, of requests that ask for none."""
        self._database = database
        self._share = share
        self._trials: dict[str, ItemTrial] = {}

    async def refresh(self) -> None:
        """Read what became of new items, wherever they were shown."""
        self._trials = await self._database.read(read_trials)

    def of(
        self,
        request: RecommendRequest,
        context: RequestContext,
        release: Release,
        found: RetrieveResponse,
        count: int,
    ) -> tuple[Exploration | None, float]:
        """Return which places explore with which items, and with what probability there are any.

        Chance is the same for the same user at the same time.
        """
        share = self._share
        if request.HasField("exploration_share"):
            share = request.exploration_share
        chance = random.Random(seed_of(request.user_id, context.request_time))
        places = int(share * count + chance.random())
        if not places:
            return None, 0.0
        new = [c.item_id for c in found.candidates if self._is_new(release, c.item_id)]
        if not new:
            return None, 0.0
        lower_half = range(count // 2 + 1, count + 1)
        positions = sorted(chance.sample(lower_half, min(places, len(lower_half))))
        trials = [self._trials.get(item_id, ItemTrial(item_id=item_id)) for item_id in new]
        return Exploration(positions=positions, trials=trials), min(share * count, 1.0)

    def _is_new(self, release: Release, item_id: str) -> bool:
        row = release.items.row(item_id)
        known = self._trials.get(item_id)
        tried = known.shown_count if known is not None else 0
        used = float(release.items.popularity[row]) if row >= 0 else 0.0
        return used < NEW_USES and tried < TRIALS_MOST
