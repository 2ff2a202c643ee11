"""How many targets each source finds, and all of them together."""

from collections.abc import Sequence

import numpy as np

from features.candidates import SOURCES
from features.fusion import source_name
from training.examples import Example

DEPTHS = (50, 200, 500)


def candidate_recall(examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Return recall at DEPTHS by source, and of the union in the order of its fusion.

    A source's list ends at the depth that training asks it for, and the union at the number of
    candidates: beyond, recall stays what it was.
    """
    if not examples:
        return {}
    ranks = np.array(
        [
            example.found.ranks[example.found_at] if example.found_at >= 0 else [0] * len(SOURCES)
            for example in examples
        ]
    )
    places = np.array([example.found_at for example in examples])
    found = {source_name(source): ranks[:, column] for column, source in enumerate(SOURCES)}
    found["union"] = places + 1
    return {
        name: {f"recall@{k}": float(((own > 0) & (own <= k)).mean()) for k in DEPTHS}
        for name, own in found.items()
    }


def recall_lines(recall: dict[str, dict[str, float]]) -> list[str]:
    """Return the recall as lines for people."""
    lines = [f"{'candidates of':14}" + "".join(f"{f'recall@{k}':>12}" for k in DEPTHS)]
    for name, values in recall.items():
        lines.append(f"{name:14}" + "".join(f"{value:12.4f}" for value in values.values()))
    return lines if recall else []
