"""Several targets of one user as one packed sequence, with sampled negatives."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from models.ranker.packed_user import PackedCandidates, PackedUser
from models.ranker.text import PrefixTokenizer
from training.examples import Example, ExampleMaker

Rows = npt.NDArray[np.int64]


def chunks(examples: Sequence[Example], most: int) -> list[list[Example]]:
    """Group examples that share user and words, in order, into chunks of at most `most`."""

    def prefix(example: Example) -> tuple[int, int, bool]:
        return example.target.user, example.target.words, example.target.forget

    ordered = sorted(examples, key=lambda e: (*prefix(e), e.target.place))
    groups = (list(group) for _, group in groupby(ordered, key=prefix))
    return [group[i : i + most] for group in groups for i in range(0, len(group), most)]


class Packer:
    """Packs chunks of examples as the ranker reads them."""

    def __init__(self, maker: ExampleMaker, tokenizer: PrefixTokenizer) -> None:
        self.maker = maker
        self.tokenizer = tokenizer

    def pack(self, chunk: Sequence[Example], chosen: Sequence[Rows]) -> PackedUser:
        """Return a packed user; `chosen` holds, by example, the places of its candidates."""
        tables, settings = self.maker.tables, self.maker.settings
        first, last = chunk[0].target, chunk[-1].target
        begin = max(0, first.place - settings.max_history)
        events = self.maker.history(last)[begin:]
        rows = [example.rows[places] for example, places in zip(chunk, chosen, strict=True)]
        flat = np.concatenate(rows)
        counts = [len(places) for places in chosen]
        visible = [0 if e.target.forget else e.target.place - begin for e in chunk]
        return PackedUser(
            text_ids=self.tokenizer.ids(self.maker.words.texts[first.words]),
            events=events,
            event_vectors=tables.items.text_vectors[events.rows],
            candidates=PackedCandidates(
                rows=flat,
                vectors=tables.items.text_vectors[flat],
                features=np.concatenate(
                    [e.features[places] for e, places in zip(chunk, chosen, strict=True)]
                ),
                context=np.repeat([e.context for e in chunk], counts, axis=0),
                visible=np.repeat(visible, counts),
            ),
        )


def with_negatives(example: Example, count: int, random: np.random.Generator) -> Rows:
    """Return the place of the target among the candidates, then `count` others at random.

    Where there are fewer others, some come twice.
    """
    others = np.delete(np.arange(len(example.rows)), example.found_at)
    drawn = random.choice(others, size=count, replace=len(others) < count)
    return np.concatenate([[example.found_at], drawn])


def batches(
    chunked: Sequence[list[Example]], positions: int, random: np.random.Generator
) -> list[list[list[Example]]]:
    """Return batches of about `positions` targets in random order.

    A batch holds chunks of about one size, drawn at random: the shorter ones are padded to the
    longest, and padding is computed like everything else.
    """
    order = random.permutation(len(chunked)).tolist()
    order.sort(key=lambda place: len(chunked[place]))
    batched: list[list[list[Example]]] = [[]]
    for place in order:
        if sum(map(len, batched[-1])) >= positions:
            batched.append([])
        batched[-1].append(chunked[place])
    return [batched[place] for place in random.permutation(len(batched))]
