"""What variety costs: accuracy against diversity of the same requests, by the dial.

    .venv/bin/python -m benchmarks.variety
    .venv/bin/python -m benchmarks.variety movielens:../shared/data/ml-latest-small \\
      --set positions=3000 --set tower_epochs=6

Each user's last target is held out, and a release is trained on the rest. Without services, the
candidates of each request are found and scored once; the selector then makes a list of ten at each
dial, and so do maximal marginal relevance and a shuffle of the best thirty. Nobody says anything:
profiles and reviews are left out.

Of each list are told NDCG@10 and HR@10 of the held-out item, the mean distance (1 - cosine) of the
texts of its pairs, and the share of the data set's categories that it holds; with 95 % bootstrap
intervals over users, and for NDCG@10 the difference from the list by value alone.
"""

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.environment import describe, write_result
from benchmarks.variety_lists import LISTERS, Lister
from benchmarks.variety_picture import draw
from features.release import Release, open_release
from models.ranker.ranker import load_ranker
from models.ranker.text import PrefixTokenizer
from models.ranker.value import probabilities, values
from sample_world import write_world
from tandem_cli.commands.train import triton_for
from tandem_cli.encoders import ENCODERS, prepare_encoder
from tandem_cli.train_settings import changed_settings
from training.datasets.format import Dataset
from training.datasets.source import open_dataset
from training.evaluation.in_process import models_of, moments, settings_of
from training.evaluation.intervals import UserBootstrap
from training.evaluation.protocols import Protocol
from training.evaluation.trial import Trial, make_trial
from training.examples import ExampleMaker
from training.progress import tracked
from training.ranker.packing import Packer
from training.ranker.scoring import scored
from training.run import train_release
from training.targets import Target

DIALS = tuple(round(0.1 * step, 1) for step in range(11))
FINE = (0.02, 0.05, 0.15)
ITEMS, USERS, SEED = 3_000, 1_000, 7
# Those that a small run is likely to have changed.
SETTINGS = ("positions", "epochs", "tower_epochs", "candidate_count")
METRICS = ("ndcg@10", "hr@10", "distance@10", "categories@10")
Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """The candidates of one request: rows int32 [C] in the release, values float32 [C], place of
    the target among them, -1 if none of them is.
    """

    rows: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    target: int


def main() -> None:
    """Train, ask, measure, draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", nargs="?", default="", help="default: a sample world")
    parser.add_argument("--requests", type=int, default=1_000, help="at most")
    parser.add_argument("--set", action="append", default=[], help="a setting of training")
    parser.add_argument("--release", type=Path, help="one that this script has trained before")
    parser.add_argument("--keep", type=Path, help="where to leave the release that is trained")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        spec = arguments.dataset
        if not spec:
            spec = str(folder / "world")
            write_world(Path(spec), domain="mixed", items=ITEMS, users=USERS, seed=SEED)
        dataset = without_words(open_dataset(spec, rejects=None))
        trial = make_trial(dataset, Protocol("loo"), requests=arguments.requests)
        directory = arguments.release
        if directory is None:
            directory = arguments.keep or folder / "release"
            train(trial, spec, directory, arguments.set)
        release = open_release(directory)
        asked = ask(release, trial)
        points = measure(asked, release, trial)
    name = "variety-" + (dataset.name if arguments.dataset else "sample-world")
    told = release.manifest["settings"]
    result = {
        **describe(),
        "dataset": arguments.dataset or f"sample world: {ITEMS} items, {USERS} users",
        "settings": {name: told[name] for name in SETTINGS},
        "requests": len(asked),
        "targets_found": sum(request.target >= 0 for request in asked),
        "points": points,
    }
    draw(points, write_result(name, result).with_suffix(".png"))


def without_words(dataset: Dataset) -> Dataset:
    """Return the data set with users and events that say nothing."""
    nothing = pd.Series([[]] * len(dataset.users), index=dataset.users.index)
    users = dataset.users.assign(text="", tags=nothing)
    return replace(dataset, users=users, interactions=dataset.interactions.assign(text=""))


def train(trial: Trial, spec: str, out: Path, changes: list[str]) -> None:
    """Train a release on what a trial lets be known."""
    settings, encoder = changed_settings(changes, None), prepare_encoder(None, ENCODERS)
    with triton_for(encoder, "") as target:
        train_release(
            trial.dataset,
            trial.training(),
            out,
            spec=spec,
            encoder_target=target,
            encoder_directory=encoder,
            settings=settings,
            say=print,
        )


def ask(release: Release, trial: Trial) -> list[Asked]:
    """Find and score the candidates of every request."""
    said = moments(trial, range(len(trial.requests)))
    targets = [Target(user, int(count) - 1) for user, count in enumerate(said.events.counts())]
    maker = ExampleMaker(
        models_of(release), said.events, said.words, trial.repeat, settings_of(release)
    )
    ranker = load_ranker(release.ranker_directory)
    config = ranker.config
    tokenizer = PrefixTokenizer(release.ranker_directory, config.max_text_tokens)
    examples = list(maker.examples(targets))
    logits = scored(ranker, Packer(maker, tokenizer), examples)
    asked = []
    for example, answer in zip(
        examples, tracked(logits, len(examples), "requests", print), strict=True
    ):
        chances = probabilities(answer, config.outcomes)
        value = values(chances, config.outcomes, config.value_weights).numpy()
        asked.append(Asked(example.rows, value, example.found_at))
    return asked


def measure(asked: list[Asked], release: Release, trial: Trial) -> list[dict[str, Any]]:
    """Return the metrics of each way of making lists at each dial."""
    names = trial.dataset.items.set_index("item_id")["categories"]
    categories = [set(names[item_id]) for item_id in release.items.item_ids]
    every = len(set().union(*categories))
    vectors = np.asarray(release.items.text_vectors)
    bootstrap = UserBootstrap(trial.requests.users)
    plain = None
    points = []
    for name, lister in LISTERS.items():
        for dial in sorted((*DIALS, *FINE)):
            found = measured(lister, asked, vectors, dial, categories, every)
            plain = found[:, 0] if plain is None else plain
            points.append(
                {
                    "system": name,
                    "dial": dial,
                    **dict(zip(METRICS, bootstrap.means(found), strict=True)),
                    "ndcg@10 less by value alone": bootstrap.difference(found[:, 0], plain),
                }
            )
            print(line(points[-1]))
    return points


def measured(
    lister: Lister,
    asked: list[Asked],
    vectors: npt.NDArray[np.float32],
    dial: float,
    categories: list[set[str]],
    every: int,
) -> Float:
    """Return the METRICS of each request's list, float64 [requests, metrics]."""
    random = np.random.default_rng(SEED)
    found = []
    for request in asked:
        texts = vectors[request.rows]
        chosen = lister(request.values, texts, dial, random)
        at = np.flatnonzero(chosen == request.target)
        own = texts[chosen]
        pairs = np.triu_indices(len(chosen), 1)
        held = set().union(*(categories[row] for row in request.rows[chosen]))
        found.append(
            (
                1 / np.log2(at[0] + 2) if len(at) else 0.0,
                float(len(at) > 0),
                float((1 - own @ own.T)[pairs].mean()),
                len(held) / every,
            )
        )
    return np.array(found)


def line(point: dict[str, Any]) -> str:
    """Return a point for people."""
    told = "  ".join(f"{metric} {point[metric]['mean']:.4f}" for metric in METRICS)
    change = point["ndcg@10 less by value alone"]
    low, high = change["ci95"]
    return (
        f"{point['system']:32} {point['dial']:4.2f}  {told}  "
        f"ndcg {change['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
    )


if __name__ == "__main__":
    main()
