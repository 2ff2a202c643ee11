"""Items as they are scored: what features read of them, whether or not the release holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.heard import Heard
from features.item_table import ItemTable, beside
from features.tags import ItemTags
from features.tastes import Tastes
from tandem.v1.item_pb2 import Item

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CandidateItems:
    """n items. rows: int32 [n], -1 for those that the release does not hold. vectors: float32
    [n, D], of their texts. latitudes, longitudes: float32 [n], degrees, NaN where unknown.
    media: float32 [n, M], the joined vectors of their media.
    tag_scores: float32 [n], how much each has of the tags that words ask for. tastes: float32 [n],
    how popular each is among people who would say the same, 0 where unknown. live: float32 [n], how
    often each was used since the release learned, on the scale of its recent popularity. new: place
    among the n -> the item, of those that the release does not hold, as far as they are told of.
    """

    rows: npt.NDArray[np.int32]
    vectors: Float32
    media: Float32
    latitudes: Float32
    longitudes: Float32
    tag_scores: Float32
    tastes: Float32
    live: Float32
    new: Mapping[int, Item] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def contents(self) -> Float32:
        """What models read of the items, float32 [n, D + M]."""
        return beside(self.vectors, self.media)


def items_of_rows(
    items: ItemTable, tags: ItemTags, tastes: Tastes, rows: npt.NDArray[np.int32], heard: Heard
) -> CandidateItems:
    """Return items as the release holds them; rows: int32 [n], each at least 0."""
    latitudes, longitudes = items.places(rows)
    vectors = items.text_vectors[rows]
    of_words = tags.scores_of(heard.asked, rows), tastes.popularity(heard.asked, rows)
    unused = np.zeros(len(rows), np.float32)
    media = items.media.joined(rows)
    return CandidateItems(rows, vectors, media, latitudes, longitudes, *of_words, unused)
