"""Each user's last target among the full catalogue, for every system in the same run."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.candidates import SOURCES
from features.fusion import source_name
from models.ranker.ranker import Ranker
from models.ranker.value import probabilities, values
from training.evaluation.intervals import Metric
from training.evaluation.metrics import MISSED, metrics_of
from training.evaluation.tables import cell
from training.examples import Example, ExampleMaker
from training.progress import Say, tracked
from training.ranker.packing import Packer
from training.ranker.scoring import scored

Report = dict[str, dict[str, Metric]]


def evaluate(
    ranker: Ranker, packer: Packer, examples: Sequence[Example], say: Say
) -> tuple[Report, list[int]]:
    """Return metrics by system: popular, iALS, each source, their union, and the whole; and the
    targets' places in the lists of the whole.

    A target that a system did not list counts as missed. Seen items are left out everywhere, unless
    people return to them.
    """
    maker = packer.maker
    places: dict[str, list[int]] = {}

    def note(system: str, place: int) -> None:
        places.setdefault(system, []).append(place)

    places["tandem"] = list_places(ranker, packer, examples, say)
    for example in examples:
        note("popular", full_place(maker, example, maker.tables.items.popularity))
        factor = maker.views([example.target])[0].cf_factor
        note("ials", full_place(maker, example, maker.tables.cf.item_factors @ factor))
        for place, source in enumerate(SOURCES):
            note(f"source:{source_name(source)}", source_place(example, place))
        note("union", example.found_at if example.found_at >= 0 else MISSED)
    # The whole last, as in a table.
    places["tandem"] = places.pop("tandem")
    report = {system: metrics_of(np.array(found)) for system, found in places.items()}
    return report, places["tandem"]


def list_places(ranker: Ranker, packer: Packer, examples: Sequence[Example], say: Say) -> list[int]:
    """Return the places of targets among their ranked candidates, MISSED where they are none."""
    config, places = ranker.config, []
    logits = scored(ranker, packer, examples)
    for example, answer in zip(
        examples, tracked(logits, len(examples), "evaluation", say), strict=True
    ):
        chances = probabilities(answer, config.outcomes)
        value = values(chances, config.outcomes, config.value_weights).numpy()
        places.append(place_of(value, example.found_at))
    return places


def place_of(scores: npt.NDArray[np.float32], target: int) -> int:
    """Return how many scores are above the target's; ties go to the earlier one."""
    if target < 0:
        return MISSED
    return int((scores > scores[target]).sum() + (scores[:target] == scores[target]).sum())


def full_place(maker: ExampleMaker, example: Example, scores: npt.NDArray[np.float32]) -> int:
    """Return the target's place in a ranking of the full catalogue."""
    target = example.target
    wanted = int(maker.interactions.of(target.user).rows[target.place])
    scores = scores.copy()
    if not maker.repeat:
        scores[maker.history(target).rows] = -np.inf
    return place_of(scores, wanted)


def source_place(example: Example, source: int) -> int:
    """Return the target's place in one source's result."""
    if example.found_at < 0:
        return MISSED
    rank = int(example.found.ranks[example.found_at, source])
    return rank - 1 if rank > 0 else MISSED


def table(report: Report) -> list[str]:
    """Return the report as lines for people."""
    names = ["hr@10", "ndcg@10", "mrr", "recall@200"]
    lines = [f"{'system':18}" + "".join(f"{name:>26}" for name in names)]
    for system, metrics in report.items():
        cells = [cell(metrics[name]) for name in names]
        lines.append(f"{system:18}" + "".join(f"{text:>26}" for text in cells))
    return lines
