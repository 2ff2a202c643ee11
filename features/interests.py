"""What words are understood as: tags of the catalogue, each with a confidence."""

import numpy as np
import numpy.typing as npt

from features.tags import ItemTags
from features.words import Said
from tandem.v1.user_pb2 import InterestTag

Float32 = npt.NDArray[np.float32]
# How many tags words may mean without naming them, and how sure that must be.
MEANT_MOST = 8
CONFIDENCE_LEAST = 0.1


def interests(said: Said, vector: Float32 | None, tags: ItemTags) -> list[InterestTag]:
    """Return the tags that words name (confidence 1) or mean (less), surest first.

    vector: of the words, float32 [D], unit length; None if they could not be encoded. A profile's
    own tags have the confidence that they were given, and all of it fades with behaviour.
    """
    if not said.text:
        return []
    found = dict.fromkeys(tags.vocabulary.named(said.text), 1.0)
    for name, confidence in _meant(vector, tags):
        found.setdefault(name, confidence)
    given = {name.casefold(): confidence for name, confidence in said.tags.items()}
    found = {name: given.get(name.casefold(), sure) for name, sure in found.items()}
    order = sorted(found, key=lambda name: -found[name])
    return [InterestTag(tag=name, confidence=found[name] * said.weight) for name in order]


def _meant(vector: Float32 | None, tags: ItemTags) -> list[tuple[str, float]]:
    """Return the names nearest to a vector, and how much nearer they are than unrelated names."""
    if vector is None or not len(tags.vectors) or not vector.any():
        return []
    cosines = tags.vectors @ vector
    sure = (cosines - tags.unrelated) / max(1.0 - tags.unrelated, 1e-6)
    best = np.argsort(-sure, kind="stable")[:MEANT_MOST]
    return [
        (tags.names[at], min(float(sure[at]), 1.0)) for at in best if sure[at] >= CONFIDENCE_LEAST
    ]
