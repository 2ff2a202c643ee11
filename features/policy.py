"""The safety policy: which items may be shown at all, and from which age."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import chain
from math import ceil, isfinite

from features.policy_words import Phrases, folded
from tandem.v1.item_pb2 import Item
from tandem.v1.user_pb2 import UserProfile, UserState


@dataclass(frozen=True)
class Override:
    """What a reviewer decided on one item against the rules.

    blocks: block it, else allow it. least_age: in place of the rules' age limits, for one that is
    allowed; None leaves them. expires: the last day on which it counts, UTC.
    """

    item_id: str
    blocks: bool
    reviewer: str
    reviewed: date
    reason: str
    least_age: int | None = None
    expires: date | None = None

    def counts(self, today: date) -> bool:
        """Whether it has not expired."""
        return self.expires is None or today <= self.expires


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of an item, whoever asks: which one blocks it, or ""; the least age."""

    rule: str = ""
    least_age: int = 0


FREE = Verdict()


@dataclass(frozen=True)
class Policy:
    """The rules of a policy file. Categories and tags are folded; see `features.policy_words`.

    digest: SHA-256 of the file, "" for no policy. age_attributes: integers that tell a least age.
    age_categories: least age by category. age_if_unknown: of users who told no year of birth.
    """

    digest: str = ""
    categories: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    age_attributes: tuple[str, ...] = ()
    age_categories: Mapping[str, int] = field(default_factory=dict)
    age_if_unknown: int = 0
    overrides: Mapping[str, Override] = field(default_factory=dict)

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases(self.words)

    @property
    def in_force(self) -> bool:
        """Whether there is a policy, be it an empty one."""
        return bool(self.digest)

    @property
    def rule_count(self) -> int:
        """How many rules there are, without overrides."""
        blocking = len(self.categories) + len(self.tags) + len(self.words)
        return blocking + len(self.age_attributes) + len(self.age_categories)

    def rules(self) -> list[str]:
        """Return the names of all rules, as `blocking` and `limits` tell them."""
        return [
            *(f"block.categories {name!r}" for name in sorted(self.categories)),
            *(f"block.tags {name!r}" for name in sorted(self.tags)),
            *(f"block.words {word!r}" for word in self.words),
            *(f"age.attributes {name!r}" for name in self.age_attributes),
            *(f"age.categories {name!r}" for name in self.age_categories),
        ]

    def judge(self, item: Item) -> Verdict:
        """Return what the rules say of an item, its description included; overrides aside."""
        verdict = Verdict(
            next(self.blocking(item), ""), max((age for _, age in self.limits(item)), default=0)
        )
        return FREE if verdict == FREE else verdict

    def blocking(self, item: Item) -> Iterator[str]:
        """Yield the rules that block an item."""
        for name in dict.fromkeys(map(folded, item.categories)):
            if name in self.categories:
                yield f"block.categories {name!r}"
        for name in dict.fromkeys(map(folded, item.tags)):
            if name in self.tags:
                yield f"block.tags {name!r}"
        if self.words:
            texts = chain((item.title, item.description), item.categories, item.tags)
            for phrase in self._phrases.found_in(texts):
                yield f"block.words {phrase!r}"
        for name in self.age_attributes:
            # Nobody knows how old one has to be for it.
            if name in item.attributes and _years(item, name) is None:
                yield f"age.attributes {name!r} is no number"

    def limits(self, item: Item) -> Iterator[tuple[str, int]]:
        """Yield the rules that ask for an age, and the age in years."""
        for name in self.age_attributes:
            if name in item.attributes and (years := _years(item, name) or 0) > 0:
                yield f"age.attributes {name!r}", years
        for name in dict.fromkeys(map(folded, item.categories)):
            if name in self.age_categories:
                yield f"age.categories {name!r}", self.age_categories[name]

    def permits(
        self,
        item_id: str,
        verdict: Verdict,
        age: int,
        today: date,
        decided: Callable[[Override], None],
    ) -> bool:
        """Return whether an item with a verdict may be shown to somebody of an age.

        decided: is told an override where the answer without it would have been another.
        """
        by_rules = not verdict.rule and verdict.least_age <= age
        if item_id not in self.overrides:
            return by_rules
        least = self.least_age(item_id, verdict, today)
        permitted = least is not None and least <= age
        if permitted is not by_rules:
            decided(self.overrides[item_id])
        return permitted

    def least_age(self, item_id: str, verdict: Verdict, today: date) -> int | None:
        """Return the age from which an item may be shown, None for never; overrides count."""
        override = self.overrides.get(item_id)
        if override is None or not override.counts(today):
            return None if verdict.rule else verdict.least_age
        if override.blocks:
            return None
        return verdict.least_age if override.least_age is None else override.least_age

    def age_of(self, user: UserState, time_ms: int) -> int:
        """Return how old a user is at least, in years, at a Unix time in milliseconds.

        Whoever was born in a year may have their birthday still to come. A user whose state could
        not be read is taken for the youngest: it might have told that they are.
        """
        if user.profile.birth_year:
            year = datetime.fromtimestamp(time_ms / 1000, UTC).year
            return max(0, year - user.profile.birth_year - 1)
        unread = user.user_id and not user.HasField("read_time")
        return 0 if unread else self.age_if_unknown


NO_POLICY = Policy()


def utc_today() -> date:
    """Return the present day, UTC, by which overrides expire."""
    return datetime.now(UTC).date()


def profile_for_age_limits(profile: UserProfile) -> UserProfile | None:
    """Return what is read of a profile where personalization is off, None if there is nothing."""
    return UserProfile(birth_year=profile.birth_year) if profile.birth_year else None


def _years(item: Item, name: str) -> int | None:
    """Return an attribute as years, rounded up; None if it is no number."""
    value = item.attributes[name]
    match value.WhichOneof("kind"):
        case "int64_value":
            return value.int64_value
        case "double_value" if isfinite(value.double_value):
            return ceil(value.double_value)
        case "string_value" if value.string_value.strip().isdecimal():
            return int(value.string_value)
        case _:
            return None
