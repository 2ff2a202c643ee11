"""Whether words still name items: a category or tag is asked for, and who has it is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.encoder.catalogue import NO_TEXT, Catalogue

Float32 = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
NEAREST = 10
LEAST_ITEMS = 5
MOST_LABELS = 500


@dataclass(frozen=True)
class Labels:
    """Categories and tags that several items have. texts: for each the places of items' texts."""

    words: list[str]
    texts: list[npt.NDArray[np.int64]]

    def found(self, words_WD: Float32, texts_TD: Float32) -> Values:
        """Return which share of each label's 10 nearest texts has it, float64 [labels]."""
        count = min(NEAREST, len(texts_TD))
        shares = []
        for word, texts in zip(words_WD, self.texts, strict=True):
            nearest = np.argpartition(-(texts_TD @ word), count - 1)[:count]
            shares.append(np.isin(nearest, texts).mean())
        return np.array(shares, np.float64)


def labels_of(catalogue: Catalogue) -> Labels:
    """Return the most frequent categories and tags in lower case, as people say them."""
    items = catalogue.dataset.items
    texts: dict[str, set[int]] = {}
    for text, categories, tags in zip(
        catalogue.text_of_item.tolist(), items.categories, items.tags, strict=True
    ):
        if text != NO_TEXT:
            for label in (*categories, *tags):
                texts.setdefault(label.lower(), set()).add(text)
    frequent = sorted(
        (label for label in texts if len(texts[label]) >= LEAST_ITEMS),
        key=lambda label: (-len(texts[label]), label),
    )[:MOST_LABELS]
    return Labels(frequent, [np.array(sorted(texts[label]), np.int64) for label in frequent])
