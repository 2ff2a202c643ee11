"""One list of candidates from those of several sources: weighted reciprocal rank fusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tandem.v1.candidate_pb2 import Source

# Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual
# Rank Learning Methods", SIGIR 2009, recommends 60.
RRF_OFFSET = 60.0


LISTENING = frozenset((Source.SOURCE_SEMANTIC, Source.SOURCE_LEXICAL, Source.SOURCE_TAGS))


@dataclass(frozen=True)
class SourceWeights:
    """What a hit of each source counts: 1 for the best source, and for one of no known weight.

    Some sources listen to words. How well they do for people who said nothing is no reason to pass
    over what one said: the more the words count, the nearer their weights are to 1, and beyond it
    where words are to count more than usual. For people without history, `newcomers` has what hits
    count, learned of such as only tell their taste.
    """

    weights: Mapping[Source.ValueType, float] = field(default_factory=dict)
    newcomers: Mapping[Source.ValueType, float] = field(default_factory=dict)

    def of(self, source: Source.ValueType, words_weight: float, newcomer: bool = False) -> float:
        """Return the weight of a source.

        words_weight: how much words count, 0 without any. newcomer: whether there is no history.
        """
        louder = max(words_weight - 1.0, 0.0) if source in LISTENING else 0.0
        if newcomer:
            return self.newcomers.get(source, 1.0) + louder
        usual = self.weights.get(source, 1.0)
        if source not in LISTENING:
            return usual
        return usual + (1.0 - usual) * min(words_weight, 1.0) + louder

    def fuse(
        self,
        ranked: Mapping[Source.ValueType, Sequence[str]],
        words_weight: float,
        newcomer: bool = False,
    ) -> dict[str, float]:
        """Return each item's sum of weight / (60 + rank) over the sources' lists of item ids."""
        fused: dict[str, float] = {}
        for source, items in ranked.items():
            weight = self.of(source, words_weight, newcomer)
            for rank, item_id in enumerate(items, start=1):
                fused[item_id] = fused.get(item_id, 0.0) + weight / (RRF_OFFSET + rank)
        return fused

    def by_name(self) -> dict[str, dict[str, float]]:
        """Return both kinds by the sources' names in lower case, as a manifest holds them."""
        return {
            kind: {source_name(source): weight for source, weight in weights.items()}
            for kind, weights in (("usual", self.weights), ("newcomers", self.newcomers))
        }


def named_weights(weights: Mapping[str, Mapping[str, float]]) -> SourceWeights:
    """Return what `by_name` gave. Raises ValueError for a source that does not exist."""
    usual, newcomers = (
        {
            Source.Value(f"SOURCE_{name.upper()}"): value
            for name, value in weights.get(kind, {}).items()
        }
        for kind in ("usual", "newcomers")
    )
    return SourceWeights(usual, newcomers)


def source_name(source: Source.ValueType) -> str:
    """Return a source's name in lower case, such as semantic."""
    return Source.Name(source).removeprefix("SOURCE_").lower()
