"""The planted truth of a world, saved beside it: who wants what, when and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sample_world.behaviour import RETURN
from sample_world.preference import Preference


@dataclass(frozen=True)
class Truth:
    """What is true of a world.

    domain, seed: the arguments of `write_world`. repeat: whether people return to items.
    start_ms, end_ms: Unix milliseconds between which everything happened.
    """

    domain: str
    seed: int
    repeat: bool
    start_ms: int
    end_ms: int
    preference: Preference

    @property
    def item_ids(self) -> list[str]:
        """All items, in the order of every array of items here."""
        return self.preference.items.item_ids

    @property
    def user_ids(self) -> list[str]:
        """All users, in the order of every array of users here."""
        return self.preference.users.user_ids

    @cached_property
    def _item_rows(self) -> dict[str, int]:
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @cached_property
    def _user_rows(self) -> dict[str, int]:
        return {user_id: row for row, user_id in enumerate(self.user_ids)}

    def home(self, user_id: str) -> tuple[float, float]:
        """Return a user's home as latitude and longitude."""
        lat, lon = self.preference.users.home[self._user_rows[user_id]].tolist()
        return lat, lon

    def out(self, user_id: str) -> tuple[float, float]:
        """Return where a user goes at night, as latitude and longitude."""
        lat, lon = self.preference.users.out[self._user_rows[user_id]].tolist()
        return lat, lon

    def category_of(self, item_id: str) -> str:
        """Return the category of an item."""
        items = self.preference.items
        return self.preference.categories.names[int(items.category[self._item_rows[item_id]])]

    def category_weights(self, user_id: str, time_ms: int) -> dict[str, float]:
        """Return the probability that a user turns to each category at a time; they add up to 1."""
        user = self._user_rows[user_id]
        weights = self.preference.category_weights(user, np.array([time_ms], dtype=np.int64))[0]
        return dict(zip(self.preference.categories.names, weights.tolist(), strict=True))

    def true_scores(
        self,
        user_id: str,
        time_ms: int,
        place: tuple[float, float] | None = None,
        history: Iterable[str] = (),
    ) -> npt.NDArray[np.float64]:
        """Return each item's score for a user, float64 [items], -inf for what cannot be had.

        A score is the logarithm of the probability that the user chooses the item at that time
        (Unix milliseconds) and place (latitude and longitude; home if None). history: items used
        before; they cannot return unless `repeat`, where people like to come back.
        """
        user = self._user_rows[user_id]
        times = np.array([time_ms], dtype=np.int64)
        places = np.array([self.home(user_id) if place is None else place])
        scores: npt.NDArray[np.float64] = self.preference.log_probabilities(user, times, places)[0]
        used = [self._item_rows[item_id] for item_id in set(history)]
        scores[used] += np.log(RETURN) if self.repeat else -np.inf
        return scores

    def true_score(
        self,
        user_id: str,
        item_id: str,
        time_ms: int,
        place: tuple[float, float] | None = None,
        history: Iterable[str] = (),
    ) -> float:
        """Return the score of one item, as `true_scores`."""
        scores = self.true_scores(user_id, time_ms, place, history)
        return float(scores[self._item_rows[item_id]])
