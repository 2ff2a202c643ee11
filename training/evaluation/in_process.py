"""Tandem without services: exact sources and the ranker in this process, for comparison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from features.candidates import SOURCES
from features.events import EventArrays
from features.fusion import source_name
from features.release import Release
from models.ranker.ranker import load_ranker
from models.ranker.text import PrefixTokenizer
from models.ranker.value import probabilities, values
from models.tower.serving import ServedTower
from models.tower.tower import load_tower
from training.evaluation.answers import TANDEM, UNION
from training.evaluation.friends import friends_in
from training.evaluation.trial import Trial
from training.evaluation.trial_file import DEPTH, UNASKED
from training.examples import ExampleMaker, Models
from training.friends import NO_FRIENDS
from training.interactions import Interactions
from training.progress import Say, tracked
from training.ranker.packing import Packer
from training.ranker.scoring import scored
from training.settings import TrainSettings
from training.targets import Target
from training.tower.loop import FittedTower
from training.words import NO_WORDS, Words, collect_words

Ranked = dict[str, npt.NDArray[np.int32]]
Parity = dict[str, float]
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def answer_in_process(
    release: Release, trial: Trial, numbers: Sequence[int], encode: Encode, say: Say
) -> Ranked:
    """Return the lists of some requests by system, int32 [R, DEPTH]; the others are UNASKED.

    encode: texts to vectors, float32 [n, D], by the release's encoder; asked only if anybody says
    anything. A list of `tandem` is as long as the candidates; served ones are a little shorter.
    """
    asked = moments(trial, numbers)
    targets = [
        Target(user, int(count) - 1, *asked.words.known(user, int(count) - 1))
        for user, count in enumerate(asked.events.counts())
    ]
    words = with_vectors(asked.words, targets, release, encode)
    users = trial.requests.users[np.array(numbers, np.int64)]
    maker = ExampleMaker(
        models_of(release),
        asked.events,
        words,
        trial.repeat,
        settings_of(release),
        friends_in(trial).of_users(users) if release.friends else NO_FRIENDS,
    )
    ranker = load_ranker(release.ranker_directory)
    config = ranker.config
    tokenizer = PrefixTokenizer(release.ranker_directory, config.max_text_tokens)
    rows = rows_in_data(release, trial)
    examples = list(maker.examples(targets))
    logits = scored(ranker, Packer(maker, tokenizer), examples)
    ranked: Ranked = {}

    def note(system: str, number: int, found: npt.NDArray[np.int32]) -> None:
        if system not in ranked:
            ranked[system] = np.full((len(trial.requests), DEPTH), UNASKED, np.int32)
        ranked[system][number] = -1
        ranked[system][number, : len(found[:DEPTH])] = rows[found[:DEPTH]]

    told = tracked(logits, len(examples), "in process", say)
    for number, example, answer in zip(numbers, examples, told, strict=True):
        chances = probabilities(answer, config.outcomes)
        value = values(chances, config.outcomes, config.value_weights).numpy()
        note(TANDEM, number, example.rows[np.argsort(-value, kind="stable")])
        note(UNION, number, example.rows)
        for place, source in enumerate(SOURCES):
            ranks = example.found.ranks[:, place]
            best = np.argsort(np.where(ranks > 0, ranks, len(rows) + 1), kind="stable")
            note(f"source:{source_name(source)}", number, example.rows[best[: (ranks > 0).sum()]])
    return ranked


@dataclass(frozen=True)
class Moments:
    """Requests as users of their own: each one's events are a request's past and its target."""

    events: Interactions
    words: Words


def moments(trial: Trial, numbers: Sequence[int]) -> Moments:
    """Return requests with what precedes them, in the order of `numbers`.

    The target has the offset from UTC of the event before it, as in what is served; of its place
    nothing reads.
    """
    asks = trial.requests.take(np.array(numbers, np.int64))
    bounds, past = trial.histories(asks, positive=False)
    # A request ends just before its own target.
    own = asks.ends
    places = np.insert(past, bounds[1:], own)
    starts = bounds + np.arange(len(bounds))
    events = trial.events.events
    offsets = events.offsets_min[places]
    last = starts[1:] - 1
    offsets[last] = np.where(np.diff(starts) > 1, offsets[last - 1], 0)
    arrays = EventArrays(
        rows=events.rows[places],
        actions=events.actions[places],
        times_ms=events.times_ms[places],
        ratings=events.ratings[places],
        offsets_min=offsets,
        latitudes=events.latitudes[places],
        longitudes=events.longitudes[places],
    )
    said = collect_words(trial.dataset, trial.events, seed=0)
    words = replace(
        said, of_user=said.of_user[asks.users], of_event=said.of_event[places], starts=starts
    )
    file_rows = trial.events.file_rows[places]
    of_all = trial.events.regions
    regions = tuple(of_all[user] for user in asks.users) if of_all else ()
    return Moments(Interactions(arrays, starts, trial.events.items, file_rows, regions), words)


def with_vectors(
    words: Words, targets: Sequence[Target], release: Release, encode: Encode
) -> Words:
    """Return the words with the vectors of those that targets say."""
    said = np.unique([target.words for target in targets])
    said = said[said != NO_WORDS]
    width = release.items.text_vectors.shape[1]
    vectors = np.zeros((len(words.texts), width), np.float32)
    if len(said):
        vectors[said] = encode([words.texts[place] for place in said])
    return replace(words, vectors=vectors)


def models_of(release: Release) -> Models:
    """Return a release's tables and tower as training holds them."""
    tower, space = load_tower(release.tower_directory), release.tower
    vectors = torch.from_numpy(space.item_vectors + space.mean)
    fitted = FittedTower(tower, ServedTower(tower, vectors).eval(), space, epochs=0, events=0)
    return Models(release.tables, fitted)


def settings_of(release: Release) -> TrainSettings:
    """Return the settings that decide how a release finds candidates."""
    return TrainSettings(source_depth=release.source_depth, candidate_count=release.candidate_count)


def rows_in_data(release: Release, trial: Trial) -> npt.NDArray[np.int32]:
    """Return the data set's row of each of a release's items, int32 [release items]."""
    row = {str(item): place for place, item in enumerate(trial.dataset.items["item_id"])}
    return np.array([row.get(item, -1) for item in release.items.item_ids], np.int32)


def parity(served: Ranked, in_process: Ranked, numbers: Sequence[int], k: int = 10) -> Parity:
    """Compare the lists of both ways, over some requests.

    The sources of the service search an index, in process they are exact; the rest is the same.
    """
    some = np.array(numbers)
    ours, exact = served[TANDEM][some], in_process[TANDEM][some]
    unions = served[UNION][some], in_process[UNION][some]
    return {
        "requests": len(some),
        "same_first": float((ours[:, 0] == exact[:, 0]).mean()),
        f"shared_of_{k}": _shared(ours[:, :k], exact[:, :k]),
        "shared_candidates": _shared(*unions),
    }


def _shared(left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]) -> float:
    """Return the mean share of the left lists' items that the right ones hold."""
    shares = [
        len(np.intersect1d(a[a >= 0], b[b >= 0])) / max((a >= 0).sum(), 1)
        for a, b in zip(left, right, strict=True)
    ]
    return float(np.mean(shares))
