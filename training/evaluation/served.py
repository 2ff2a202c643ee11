"""The served path: a trial replayed against running services, through their public contracts."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from features.release import Release
from features.words import request_words
from tandem.v1.candidate_pb2 import Candidate
from tandem.v1.common_pb2 import ItemCount, Place
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.ranking_service_pb2_grpc import RankingServiceStub
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tandem.v1.retrieval_service_pb2_grpc import RetrievalServiceStub
from tandem.v1.variety_pb2 import Variety
from tandem_client import AsyncTandemClient
from tandem_client.channel import open_aio_channel
from training.datasets.protos import events_of, friends_of, items_of, profiles_of
from training.evaluation.answers import Answers
from training.evaluation.friends import friends_in
from training.evaluation.replay_order import RATED, REQUEST, Step, replay_order
from training.evaluation.trial import Asks, Trial
from training.friends import NO_FRIENDS
from training.progress import Say

# Users at a time. Their lists are computed on the same cores, so that more would only wait.
IN_FLIGHT = 4
EVENTS_AT_ONCE = 1_000
TIMEOUT_S = 60.0
POLL_S = 0.2
EVERY_S = 10.0
# Requests at most that the stages are asked apart, deep enough to see all of each source's list:
# that costs more than the whole answer.
STAGED_MOST = 1_000
STAGED_SEED = 13
# What the contracts allow. The gateway ranks BACKFILL items more than are asked for; a list that
# leaves room for them within the release's candidates rests on what a list of ten rests on.
LIST_MOST = 500
BACKFILL = 20
CANDIDATES_MOST = 2_000
# Systems are compared by what they rank first; what variety costs is measured by itself.
VALUE_ALONE = Variety(diversity=0.0, keep_near_duplicates=True)


@dataclass(frozen=True)
class Addresses:
    """`host:port` of the services."""

    gateway: str
    retrieval: str
    ranking: str


class Replay:
    """Asks running services what a trial asks. Made and used inside one running event loop."""

    def __init__(self, at: Addresses, release: Release, trial: Trial, say: Say) -> None:
        self.trial = trial
        self.release = release
        self.answers = Answers(trial)
        self._say = say
        self._client = AsyncTandemClient(at.gateway, at.retrieval)
        self._catalogue = AsyncTandemClient(at.retrieval)
        self._channels = [open_aio_channel(at.retrieval), open_aio_channel(at.ranking)]
        self._retrieval = RetrievalServiceStub(self._channels[0])
        self._ranking = RankingServiceStub(self._channels[1])
        self._order = replay_order(trial)
        drawn = np.random.default_rng(STAGED_SEED).permutation(len(trial.requests))
        self._staged = set(drawn[:STAGED_MOST].tolist())
        self._later = dict.fromkeys(self._order.later_rows(), Event())
        frame = trial.dataset.interactions
        self._users = trial.dataset.users["user_id"].astype(str).tolist()
        self._items = trial.dataset.items["item_id"].astype(str).tolist()
        self._places = frame[["lat", "lon", "utc_offset_minutes"]].to_numpy(np.float64)
        self._handed_on: dict[int, tuple[int, RetrieveResponse]] = {}
        self._friends = friends_in(trial) if release.friends else NO_FRIENDS
        self._done = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        await self._catalogue.close()
        for channel in self._channels:
            await channel.close(None)

    async def ingest(self) -> None:
        """Write catalogue, profiles and what comes before all asks; wait until it is indexed.

        Impressions are left out: what was shown once would count as seen.
        """
        dataset, start = self.trial.dataset, time.monotonic()
        await self._client.upsert_items(items_of(dataset))
        profiles = list(profiles_of(dataset))
        for user_id, profile in profiles:
            await self._client.put_profile(user_id, profile, timeout_s=TIMEOUT_S)
        for user_id, friends in friends_of(dataset):
            await self._client.put_friends(user_id, friends, timeout_s=TIMEOUT_S)
        known: list[Event] = []
        for row, event in enumerate(events_of(dataset)):
            if row in self._later:
                self._later[row] = event
            elif self._order.first[row]:
                known.append(event)
            if len(known) == EVENTS_AT_ONCE:
                await self._record(known)
                known = []
        await self._record(known)
        while any(  # noqa: ASYNC110  # an index tells of itself only when asked
            r.index_lag for r in (await self._catalogue.get_info(timeout_s=10.0)).releases
        ):
            await asyncio.sleep(POLL_S)
        self._say(
            f"ingested {len(dataset.items):,} items, {len(profiles):,} profiles and "
            f"{self._order.first.sum():,} events in {time.monotonic() - start:.0f} s"
        )

    async def ask(self) -> Answers:
        """Ask everything, several users at a time, each one's asks in the order of time."""
        total = len(self.trial.requests) + len(self.trial.rated)
        self._say(f"asking the services {total:,} times")
        waiting = iter(self._order.steps.items())
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._tell(total))
            workers = [tasks.create_task(self._work(waiting)) for _ in range(IN_FLIGHT)]
            await asyncio.wait(workers)
            telling.cancel()
        return self.answers

    async def _tell(self, total: int) -> None:
        start = time.monotonic()
        while True:
            await asyncio.sleep(EVERY_S)
            left = (time.monotonic() - start) / max(self._done, 1) * (total - self._done)
            self._say(f"asked {self._done:,} of {total:,}, about {left:.0f} s left")

    async def _work(self, waiting: Iterator[tuple[int, list[Step]]]) -> None:
        for user, steps in waiting:
            # Labelled rows of one moment are scored in one call: each is scored by itself.
            for _, same in groupby(steps, key=self._moment):
                at_once = list(same)
                await self._record([self._later[int(row)] for s in at_once for row in s.rows])
                if at_once[0].kind == REQUEST:
                    await self._recommend(user, at_once[0].number)
                else:
                    await self._rate(user, [step.number for step in at_once])
                self._done += len(at_once)

    def _moment(self, step: Step) -> tuple[int, ...]:
        if step.kind == REQUEST:
            return (REQUEST, step.number)
        rated = self.trial.rated
        return (RATED, int(rated.ends[step.number]), int(rated.times_ms[step.number]))

    async def _recommend(self, user: int, number: int) -> None:
        user_id, context = self._users[user], self._context(self.trial.requests, number)
        release, start = self.release, time.monotonic()
        response = await self._client.recommend(
            user_id,
            context=context,
            variety=VALUE_ALONE,
            exploration_share=0.0,
            item_count=max(10, min(LIST_MOST, release.candidate_count - BACKFILL)),
            timeout_s=TIMEOUT_S,
        )
        self.answers.note_slate(number, response, time.monotonic() - start)
        if number in self._staged:
            await self._ask_stages(user, context, number)

    async def _ask_stages(self, user: int, context: RequestContext, number: int) -> None:
        release, user_id = self.release, self._users[user]
        state = await self._client.get_user_state(user_id, timeout_s=TIMEOUT_S)
        query = RetrieveRequest(
            release_id=release.release_id,
            user=state.user,
            context=context,
            candidate_count=CANDIDATES_MOST,
            friends_items=self._used_by_friends(user, context.request_time.ToMilliseconds()),
        )
        found = await self._retrieval.Retrieve(query, timeout=TIMEOUT_S)
        said = request_words("", state.user.profile, state.user.history)
        self.answers.note_candidates(
            number,
            found.candidates,
            release.source_depth,
            release.candidate_count,
            release.source_weights,
            said.weight if said.text else 0.0,
            not state.user.history,
        )

    def _used_by_friends(self, user: int, time_ms: int) -> list[ItemCount]:
        """Return what the gateway, which alone knows of friends, would send along."""
        found = self._friends.items_before(user, time_ms)
        pairs = zip(found.items.tolist(), found.weights.tolist(), strict=True)
        return [ItemCount(item_id=self._items[row], count=weight) for row, weight in pairs]

    async def _rate(self, user: int, numbers: list[int]) -> None:
        context = self._context(self.trial.rated, numbers[0])
        state = await self._client.get_user_state(self._users[user], timeout_s=TIMEOUT_S)
        wanted = dict.fromkeys(self._items[self.trial.rated.items[number]] for number in numbers)
        query = RankRequest(
            release_id=self.release.release_id,
            user=state.user,
            context=context,
            candidates=[Candidate(item_id=item_id) for item_id in wanted],
        )
        # What retrieval would hand on of the user; the same until there is another event.
        end = int(self.trial.rated.ends[numbers[0]])
        before, found = self._handed_on.get(user, (-1, RetrieveResponse()))
        if before != end:
            retrieve = RetrieveRequest(
                release_id=query.release_id, user=state.user, context=context, candidate_count=1
            )
            found = await self._retrieval.Retrieve(retrieve, timeout=TIMEOUT_S)
            self._handed_on[user] = (end, found)
        if found.HasField("text_vector"):
            query.text_vector.CopyFrom(found.text_vector)
        query.interest_tags.extend(found.interest_tags)
        if found.HasField("user_vector"):
            query.user_vector.CopyFrom(found.user_vector)
        ranked = await self._ranking.Rank(query, timeout=TIMEOUT_S)
        self.answers.note_scores(numbers, ranked.items)

    async def _record(self, events: list[Event]) -> None:
        for start in range(0, len(events), EVENTS_AT_ONCE):
            await self._client.record_events(
                events[start : start + EVENTS_AT_ONCE], timeout_s=TIMEOUT_S
            )

    def _context(self, asks: Asks, number: int) -> RequestContext:
        """Return the situation: the time of the ask, but place and offset of the event before."""
        context = RequestContext(surface="evaluation")
        context.request_time.FromMilliseconds(int(asks.times_ms[number]))
        events = self.trial.events
        start, end = events.starts[asks.users[number]], asks.ends[number]
        before = np.flatnonzero(self.trial.past[start:end])
        if len(before):
            row = events.file_rows[start + before[-1]]
            latitude, longitude, offset = self._places[row]
            if np.isfinite(latitude) and np.isfinite(longitude):
                context.place.CopyFrom(Place(latitude=latitude, longitude=longitude))
            if np.isfinite(offset):
                context.utc_offset.FromSeconds(int(offset) * 60)
        return context
