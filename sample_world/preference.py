"""The planted truth: how much each person wants each item, when and where.

The choice has two steps. First a category c, with probability proportional to

    taste[user, c, time] * rhythm[c, daypart] * habit[user, c, daypart]

then, among those items of c that exist and are open, one with probability proportional to exp of
the sum of topic, mood, look, hidden fit, quality, language and nearness. What the world writes
down is drawn from these probabilities, and their logarithms are the true scores.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sample_world.cities import distance_km
from sample_world.rhythms import hour_of_week, weekend_and_daypart

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

TOPIC_WIDTH = 6
HIDDEN_WIDTH = 4
TOPIC_WEIGHT = 1.5
STYLE_WEIGHT = 1.2
HIDDEN_WEIGHT = 0.35
QUALITY_WEIGHT = 1.0
FOREIGN_LANGUAGE = -2.5
DISTANCE_SCALE_KM = 2.0
FARTHEST = -8.0
DRIFT_DAYS = 12.0
DAY_MS = 86_400_000


@dataclass(frozen=True)
class ItemTraits:
    """Items, sorted by category.

    category, topic, mood, look: int64 [items]; topics count within their category. hidden:
    [items, HIDDEN_WIDTH], what no text tells. quality: [items]. chinese: bool [items]. lat, lon:
    degrees, NaN without a place. opening: row of opening_masks, bool [patterns, 168]. created_ms,
    gone_ms: Unix milliseconds between which the item can be had.
    """

    item_ids: list[str]
    category: Int64
    topic: Int64
    mood: Int64
    look: Int64
    hidden: Float64
    quality: Float64
    chinese: npt.NDArray[np.bool_]
    lat: Float64
    lon: Float64
    opening: Int64
    opening_masks: npt.NDArray[np.bool_]
    created_ms: Float64
    gone_ms: Float64


@dataclass(frozen=True)
class CategoryTraits:
    """Categories. rhythm: [categories, 2, 6], by weekend and daypart. topics: [categories, topics
    of each, TOPIC_WIDTH].
    """

    names: list[str]
    domains: list[str]
    rhythm: Float64
    topics: Float64


@dataclass(frozen=True)
class UserTraits:
    """People.

    taste, later_taste: [users, categories], each adds up to 1; the later one takes over around
    drift_ms [users], NaN for those who stay as they are. topics: [users, TOPIC_WIDTH]. moods,
    looks: [users, styles]. hidden: [users, HIDDEN_WIDTH]. chinese: bool [users]. city: int64.
    home, work, out: [users, 2], latitude and longitude. utc_offset_minutes, shift_hours: int64
    [users]. habits: for each user (category, weekend, daypart, factor).
    """

    user_ids: list[str]
    taste: Float64
    later_taste: Float64
    drift_ms: Float64
    topics: Float64
    moods: Float64
    looks: Float64
    hidden: Float64
    chinese: npt.NDArray[np.bool_]
    city: Int64
    home: Float64
    work: Float64
    out: Float64
    utc_offset_minutes: Int64
    shift_hours: Int64
    habits: list[list[tuple[int, int, int, float]]]


@dataclass(frozen=True)
class Preference:
    """The preferences of a world's people for its items."""

    items: ItemTraits
    categories: CategoryTraits
    users: UserTraits

    @cached_property
    def _starts(self) -> Int64:
        """First item of each category that has items."""
        return np.flatnonzero(np.diff(self.items.category, prepend=-1))

    @cached_property
    def _segment(self) -> Int64:
        """For each item, which of `_starts` its category is."""
        return np.cumsum(np.diff(self.items.category, prepend=-1) != 0) - 1

    def category_weights(self, user: int, times_ms: Int64) -> Float64:
        """Return how likely a user turns to each category at each time, [times, categories].

        Rows add up to 1 if every category has items.
        """
        users = self.users
        drift = users.drift_ms[user]
        weights = np.repeat(users.taste[user][None], len(times_ms), axis=0)
        if np.isfinite(drift):
            days = (times_ms - drift) / DAY_MS
            later = 1.0 / (1.0 + np.exp(-np.clip(days / (DRIFT_DAYS / 4), -50, 50)))
            weights += later[:, None] * (users.later_taste[user] - users.taste[user])
        hours = hour_of_week(times_ms, int(users.utc_offset_minutes[user]))
        weekend, daypart = weekend_and_daypart(hours, int(users.shift_hours[user]))
        weights *= self.categories.rhythm[:, weekend, daypart].T
        for category, habit_weekend, habit_daypart, factor in users.habits[user]:
            now = (weekend == habit_weekend) & (daypart == habit_daypart)
            weights[now, category] *= factor
        present = np.zeros(weights.shape[1], dtype=np.bool_)
        present[self.items.category[self._starts]] = True
        weights[:, ~present] = 0.0
        total = weights.sum(axis=1, keepdims=True)
        return weights / np.where(total > 0, total, 1.0)

    def fit(self, user: int) -> Float64:
        """Return how well each item suits a user within its category at any time, [items]."""
        items, users = self.items, self.users
        topics = self.categories.topics @ users.topics[user]
        fit: Float64 = TOPIC_WEIGHT * topics[items.category, items.topic]
        fit += STYLE_WEIGHT * (users.moods[user][items.mood] + users.looks[user][items.look])
        fit += HIDDEN_WEIGHT * (items.hidden @ users.hidden[user])
        fit += QUALITY_WEIGHT * items.quality
        fit += FOREIGN_LANGUAGE * (items.chinese != users.chinese[user])
        return fit

    def log_probabilities(self, user: int, times_ms: Int64, places: Float64) -> Float64:
        """Return the logarithm of each item's probability at each time and place.

        times_ms: int64 [times]. places: [times, 2], latitude and longitude. Returns [times, items],
        minus infinity for items that do not exist then or are closed.
        """
        items = self.items
        fit = np.repeat(self.fit(user)[None], len(times_ms), axis=0)
        placed = np.flatnonzero(np.isfinite(items.lat))
        km = distance_km(places, items.lat[placed], items.lon[placed])
        fit[:, placed] += np.maximum(-km / DISTANCE_SCALE_KM, FARTHEST)
        hours = hour_of_week(times_ms, int(self.users.utc_offset_minutes[user]))
        open_now = items.opening_masks[:, hours].T[:, items.opening]
        exists = (items.created_ms <= times_ms[:, None]) & (times_ms[:, None] < items.gone_ms)
        fit[~(open_now & exists)] = -np.inf
        highest = np.maximum.reduceat(fit, self._starts, axis=1)
        highest[~np.isfinite(highest)] = 0.0
        fit -= highest[:, self._segment]
        totals = np.add.reduceat(np.exp(fit), self._starts, axis=1)
        weights = self.category_weights(user, times_ms)[:, items.category[self._starts]]
        with np.errstate(divide="ignore"):
            shift = np.where(totals > 0, np.log(weights) - np.log(totals), -np.inf)
        fit += shift[:, self._segment]
        return fit
