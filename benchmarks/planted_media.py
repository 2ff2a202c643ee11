"""What vectors of another medium add where they tell what no text does.

    tandem sample var/video --domain video --items 1500 --users 400
    .venv/bin/python -m benchmarks.planted_media --world var/video

Items of the sample world have hidden traits that people have a taste for and no text tells. They
are written as a space of 32 numbers: a random projection of the traits, and noise of half its
size. Two runs of training, equal but for that file, are asked for each user's last event. The
source's own recall, media_recall@200, counts what is among the candidates of the union.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.environment import describe, write_result
from features.candidates import SOURCES
from features.history import mean_vector, recency
from features.item_vectors import unit_vectors
from sample_world import read_truth
from tandem.v1.candidate_pb2 import Source
from tandem_cli.commands.train import triton_for
from tandem_cli.encoders import prepare_encoder
from training.datasets.source import open_dataset
from training.encoding import encode_texts
from training.evaluation.candidate_recall import candidate_recall
from training.evaluation.leave_one_out import list_places, source_place
from training.examples import Models
from training.fitting import fit_early, fit_ranker, refit
from training.interactions import interactions_of
from training.preparation import choose_task, prepare, read_material
from training.progress import Say
from training.ranker.packing import Packer
from training.ranker.start import build_ranker
from training.settings import TrainSettings

WIDTH, NOISE = 32, 0.5
SPACE = "look"
RESAMPLES = 10_000
HISTORY_LEAST = 5
# Small, so that both runs take minutes.
SMALL = TrainSettings(
    tower_epochs=10,
    positions=1_000,
    judgements=500,
    newcomers=0,
    words_share=0.0,
    candidate_count=250,
    head_epochs=5,
    validation_users=150,
)
Float64 = npt.NDArray[np.float64]


def write_vectors(world: Path, directory: Path) -> None:
    """Write the planted space into a data set directory."""
    truth = read_truth(world)
    random = np.random.default_rng(0)
    hidden = truth.preference.items.hidden
    shown = hidden @ random.normal(size=(hidden.shape[1], WIDTH))
    shown += NOISE * shown.std() * random.normal(size=shown.shape)
    table = {
        "item_id": truth.item_ids,
        "space": [SPACE] * len(shown),
        "vector": pa.array(list(shown.astype(np.float32)), pa.list_(pa.float32())),
    }
    pq.write_table(pa.table(table), directory / "vectors.parquet")


class Texts:
    """Encodes the texts of both runs once."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._texts: list[str] = []
        self._encoded = (np.empty((0, 0), np.float32), "")

    def encode(self, texts: Sequence[str], say: Say) -> tuple[npt.NDArray[np.float32], str]:
        """Return vectors and the encoder's version, as `training.encoding.encode_texts`."""
        if self._texts != list(texts):
            self._texts = list(texts)
            self._encoded = encode_texts(self._target, texts, say)
        return self._encoded


def measure(
    directory: Path, encoder: Path, texts: Texts, settings: TrainSettings
) -> tuple[dict[str, Float64], dict[str, Any]]:
    """Train without what the test asks for; return metrics by test target, and of validation."""
    dataset = open_dataset(str(directory), rejects=None)
    known = interactions_of(dataset)
    task = choose_task(read_material(dataset, known, settings.seed), settings, test=True)
    run, _ = prepare(task, encoder, settings, texts.encode, print)
    ranker, tokenizer = build_ranker(dataset, known, encoder, settings)
    models = fit_early(run)
    validation = fit_ranker(run, models, ranker, tokenizer)
    models = refit(run, models, known.first(run.split.before_test(known)), "evaluation")
    maker = run.maker(Models(models.tables, models.tower))
    examples = list(maker.examples(run.targets.test))
    places = np.array(list_places(ranker, Packer(maker, tokenizer), examples, print))
    found = np.array([example.found_at for example in examples])
    media = SOURCES.index(Source.SOURCE_MEDIA)
    of_media = np.array([source_place(example, media) for example in examples])
    metrics = {
        "union_recall@200": ((found >= 0) & (found < 200)).astype(float),
        "ndcg@10": np.where((places >= 0) & (places < 10), 1 / np.log2(places + 2.0), 0.0),
        "media_recall@200": ((of_media >= 0) & (of_media < 200)).astype(float),
    }
    recall: dict[str, Any] = {
        "validation": validation["candidate_recall"],
        "test": candidate_recall(examples),
        "source_weights": models.tables.weights.by_name(),
    }
    return metrics, recall


def interval(values: Float64) -> dict[str, Any]:
    """Return the mean and its 95 % bootstrap interval over users, each of whom is one value."""
    random = np.random.default_rng(0)
    drawn = values[random.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"mean": float(values.mean()), "ci95": [float(low), float(high)]}


def ceiling(world: Path) -> dict[str, Any]:
    """Return where each user's last item stands in the catalogue, as a share from 0 to 1.

    By the user's true taste for hidden traits, and by the planted vectors of the history. By chance
    it stands at 0.5.
    """
    truth = read_truth(world)
    traits = truth.preference
    with TemporaryDirectory() as folder:
        write_vectors(world, Path(folder))
        column = pq.read_table(Path(folder) / "vectors.parquet").column("vector")
    vectors = unit_vectors(np.array(column.to_pylist())).astype(np.float32)
    known = interactions_of(open_dataset(str(world), rejects=None))
    places: dict[str, list[float]] = {"true_taste": [], "vectors": []}
    users = {user_id: row for row, user_id in enumerate(truth.user_ids)}
    items = {item_id: row for row, item_id in enumerate(truth.item_ids)}
    dataset = open_dataset(str(world), rejects=None)
    of_item = np.array([items[str(item_id)] for item_id in dataset.items["item_id"]])
    for user, user_id in enumerate(dataset.users["user_id"]):
        rows = of_item[known.of(user).rows]
        if len(rows) < HISTORY_LEAST:
            continue
        mean = mean_vector(vectors[rows[:-1]], recency(len(rows) - 1))
        taste = traits.items.hidden @ traits.users.hidden[users[str(user_id)]]
        for name, scores in (("true_taste", taste), ("vectors", vectors @ mean)):
            others = np.delete(scores, rows)
            places[name].append(float((others < scores[rows[-1]]).mean()))
    return {name: interval(np.array(found)) for name, found in places.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--world", type=Path, required=True, help="a directory of `tandem sample`")
    parser.add_argument("--encoders", type=Path, default=Path("var/encoders"))
    parser.add_argument("--ceiling", action="store_true", help="tell only what there is to gain")
    arguments = parser.parse_args()
    about = {"world": read_about(arguments.world)}
    if arguments.ceiling:
        told_of_last = ceiling(arguments.world)
        print(told_of_last)
        write_result("planted_media_ceiling", {**describe(), **about, "place": told_of_last})
        return
    encoder = prepare_encoder(None, arguments.encoders)
    results: dict[str, dict[str, Float64]] = {}
    recalls: dict[str, Any] = {}
    with TemporaryDirectory() as folder, triton_for(encoder, "") as target:
        texts = Texts(target)
        for name in ("without", "with"):
            directory = Path(folder) / name
            shutil.copytree(arguments.world, directory)
            if name == "with":
                write_vectors(arguments.world, directory)
            print(f"== {name} the planted space")
            results[name], recalls[name] = measure(directory, encoder, texts, SMALL)
    told: dict[str, Any] = {}
    for metric, without in results["without"].items():
        both = {name: interval(found[metric]) for name, found in results.items()}
        told[metric] = {**both, "difference": interval(results["with"][metric] - without)}
        print(metric, told[metric])
    users = len(next(iter(results["with"].values())))
    result = {**about, "settings": asdict(SMALL), "targets": users}
    write_result("planted_media", {**describe(), **result, "metrics": told, "recall": recalls})


def read_about(world: Path) -> dict[str, Any]:
    """Return what was measured on."""
    truth, dataset = read_truth(world), open_dataset(str(world), rejects=None)
    return {
        "domain": truth.domain,
        "items": len(dataset.items),
        "users": len(dataset.users),
        "interactions": len(dataset.interactions),
    }


if __name__ == "__main__":
    main()
