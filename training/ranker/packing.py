"""Several targets of one user as one packed sequence, with sampled negatives."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from models.ranker.packed_user import PackedCandidates, PackedUser
from models.ranker.text import PrefixTokenizer
from training.examples import Example, ExampleMaker

E = TypeVar("E", bound=Example)
Rows = npt.NDArray[np.int64]


def chunks(examples: Sequence[E], most: int) -> list[list[E]]:
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
            event_vectors=tables.items.contents(events.rows),
            candidates=PackedCandidates(
                rows=tables.items.id_rows(flat),
                vectors=tables.items.contents(flat),
                features=np.concatenate(
                    [e.features[places] for e, places in zip(chunk, chosen, strict=True)]
                ),
                texts=tables.items.text_tokens[flat],
                context=np.repeat([e.context for e in chunk], counts, axis=0),
                visible=np.repeat(visible, counts),
            ),
        )


@dataclass(frozen=True)
class Drawn:
    """The places of a target and its drawn negatives among the candidates.

    places: int64 [1 + n], the target first. raised: float32 [1 + n], by how much each logit must be
    raised so that the drawn negatives stand for all.
    """

    places: Rows
    raised: npt.NDArray[np.float32]


def with_negatives(
    example: Example, hardness: npt.NDArray[np.float32], count: int, random: np.random.Generator
) -> Drawn:
    """Draw `count` others beside the target, with replacement: half uniformly, half by hardness.

    hardness: float32 [C], logits of a simpler model. A negative drawn with probability q is raised
    by -log(count q), which makes the softmax over the drawn an estimate of that over all.
    """
    chances = np.exp(hardness - hardness.max())
    chances[example.found_at] = 0.0
    chances /= max(float(chances.sum()), 1e-30)
    even = np.full(len(chances), 1.0 / (len(chances) - 1))
    even[example.found_at] = 0.0
    chances = 0.5 * chances + 0.5 * even
    chances /= chances.sum()
    drawn = random.choice(len(chances), size=count, p=chances)
    raised = -np.log(count * chances[drawn])
    return Drawn(
        np.concatenate([[example.found_at], drawn]),
        np.concatenate([[0.0], raised]).astype(np.float32),
    )


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
