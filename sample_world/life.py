"""What the people of a world do after its end, day by day, when lists are put before them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sample_world.behaviour import WEEKEND, WORKDAY
from sample_world.preference import DAY_MS, Preference
from sample_world.rhythms import HOUR_MS, hour_of_week
from sample_world.truth import Truth

Float64 = npt.NDArray[np.float64]
# Of people, whose taste turns in the first half of the days, to that of somebody else as fashion
# has it by then: categories rise and fall, the spread is of the logarithm.
DRIFT_SHARE = 0.6
FASHION_SPREAD = 1.0
# Whoever looks at one item of a list looks at the next one with this chance.
LOOKS_ON = 0.85
# An item is taken for sure as often as not if it is as wanted as the best 2 % of what there is.
BEST_SHARE = 0.02
SHARPNESS = 1.0
LIKES = 0.3
DISMISSES = 0.1
UNWANTED = 0.05
SECONDS_EACH = 20


@dataclass(frozen=True)
class Visit:
    """Somebody looks in. time_ms: Unix milliseconds. place: latitude and longitude."""

    user_id: str
    time_ms: int
    utc_offset_minutes: int
    place: tuple[float, float]


@dataclass(frozen=True)
class Reaction:
    """What a visitor did with an item of a list. action: a word of the data set format."""

    item_id: str
    action: str
    time_ms: int


class Life:
    """The same world, people and chance for whoever serves them."""

    def __init__(self, truth: Truth, days: int, seed: int) -> None:
        """days: how many there will be; taste drifts during the first half of them."""
        self._seed = seed
        self._truth = replace(truth, preference=_drifting(truth, days, seed))
        self._rows = {item_id: row for row, item_id in enumerate(truth.item_ids)}

    def visits(self, day: int, count: int) -> list[Visit]:
        """Return who looks in on a day, counted from 0, in the order of time."""
        random = np.random.default_rng([self._seed, day, 1])
        users = self._truth.preference.users
        chosen = random.permutation(len(users.user_ids))[:count]
        made = []
        for user in chosen.tolist():
            offset = int(users.utc_offset_minutes[user])
            start_ms = self._truth.end_ms + day * DAY_MS
            weekday = int(hour_of_week(np.array([start_ms]), offset)[0]) // 24
            by_hour = WEEKEND if weekday >= 5 else WORKDAY
            local = int(random.choice(24, p=by_hour / by_hour.sum()))
            time_ms = start_ms + (local * HOUR_MS - offset * 60_000) % DAY_MS
            time_ms += int(random.integers(HOUR_MS))
            place = self._truth.home(users.user_ids[user])
            made.append(Visit(users.user_ids[user], time_ms, offset, place))
        return sorted(made, key=lambda visit: visit.time_ms)

    def wanted(self, visit: Visit) -> Float64:
        """Return the chance that each item would be taken if it were looked at, float64 [items]."""
        scores = self._truth.true_scores(visit.user_id, visit.time_ms, visit.place)
        there = scores[np.isfinite(scores)]
        level = np.quantile(there, 1 - BEST_SHARE) if len(there) else 0.0
        return 1.0 / (1.0 + np.exp(-np.clip((scores - level) / SHARPNESS, -50, 50)))

    def satisfaction(self, visit: Visit, item_ids: Sequence[str]) -> float:
        """Return how much of a list would be taken if all of it were looked at, from 0 to 1."""
        if not item_ids:
            return 0.0
        return float(self.wanted(visit)[[self._rows[item_id] for item_id in item_ids]].mean())

    def react(self, visit: Visit, item_ids: Sequence[str]) -> list[Reaction]:
        """Return what a visitor does with a list: looks from the top, takes, likes, dismisses."""
        random = np.random.default_rng([self._seed, visit.time_ms, self._number(visit)])
        wanted = self.wanted(visit)
        done = []
        for position, item_id in enumerate(item_ids):
            time_ms = visit.time_ms + (position + 1) * SECONDS_EACH * 1_000
            chance = wanted[self._rows[item_id]]
            looks_on, takes, more = random.random(3)
            done.append(Reaction(item_id, "impression", time_ms))
            if takes < chance:
                done.append(Reaction(item_id, "view", time_ms + 5_000))
                if more < LIKES:
                    done.append(Reaction(item_id, "like", time_ms + 9_000))
            elif chance < UNWANTED and more < DISMISSES:
                done.append(Reaction(item_id, "dismiss", time_ms + 5_000))
            if looks_on > LOOKS_ON:
                break
        return done

    def _number(self, visit: Visit) -> int:
        return self._truth.user_ids.index(visit.user_id)


def _drifting(truth: Truth, days: int, seed: int) -> Preference:
    """Return the preferences in which some people come to want something else."""
    random = np.random.default_rng([seed, 2])
    preference = truth.preference
    users, count = preference.users, len(truth.user_ids)
    turned = np.isfinite(users.drift_ms) & (users.drift_ms < truth.end_ms)
    now = np.where(turned[:, None], users.later_taste, users.taste)
    drifting = random.random(count) < DRIFT_SHARE
    fashion = np.exp(random.normal(0, FASHION_SPREAD, now.shape[1]))
    later = now[random.permutation(count)] * fashion
    later *= now.sum(axis=1, keepdims=True) / later.sum(axis=1, keepdims=True)
    moments = truth.end_ms + random.uniform(0, days / 2, count) * DAY_MS
    return replace(
        preference,
        users=replace(
            users,
            taste=now,
            later_taste=later,
            drift_ms=np.where(drifting, moments, np.nan),
        ),
    )
