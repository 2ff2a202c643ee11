"""A new release beside the one that serves, on what neither has learned from.

People mostly take what they are shown, so what they took from the lists of the release that serves
speaks for it. Two comparisons are free of that: of events that came about without a list, each
release ranks the whole catalogue; of lists that were shown, both order the same items, and what was
taken further down counts more, by how seldom people look there (inverse propensity weighting:
Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.candidates import FEATURES
from features.manifest import AgainstEntry, BesideEntry
from features.release import Release
from models.ranker.ranker import Ranker, load_ranker
from models.ranker.text import PrefixTokenizer
from training.brought import brought_about
from training.evaluation.intervals import UserBootstrap
from training.evaluation.known_to import KnownTo
from training.evaluation.leave_one_out import list_places
from training.evaluation.metrics import MISSED, ndcg
from training.fitting import Run
from training.progress import Say
from training.ranker.packing import Packer
from training.ranker.position_bias import measured_bias
from training.ranker.scoring import place_of, scored
from training.shown import Shown, held_lists, shown_lists

Float64 = npt.NDArray[np.float64]
# Fewer tell nothing.
LEAST = 30
K = 10
# What was taken far down counts for no more than so many at the top.
WEIGHT_MOST = 10.0


def compare(
    release: Release, run: Run, ranker: Ranker, packer: Packer, ours: Sequence[int]
) -> AgainstEntry:
    """Return how a run's lists are beside those of a release.

    packer: of the run's models for the evaluation. ours: the places of the run's test targets in
    its own lists.
    """
    live = load_ranker(release.ranker_directory)
    known = KnownTo(release, run)
    tokenizer = PrefixTokenizer(release.ranker_directory, live.config.max_text_tokens)
    theirs = Packer(known.maker, tokenizer)
    events = _on_events(release, run, known, live, theirs, ours)
    lists = _on_lists(release, run, known, live, theirs, ranker, packer)
    worse = any(beside is not None and beside["ci95"][1] < 0 for beside in (events, lists))
    return {"release_id": release.release_id, "events": events, "lists": lists, "worse": worse}


def _on_events(
    release: Release,
    run: Run,
    known: KnownTo,
    live: Ranker,
    packer: Packer,
    ours: Sequence[int],
) -> BesideEntry | None:
    """Compare on test targets that no list brought about and that are new to the release.

    Items that it does not know are missed, and its histories are without them: until it is trained
    anew, that is about how it serves them.
    """
    targets, times = run.targets.test, run.known.events.times_ms
    brought = brought_about(run.known, run.impressions)
    places = [int(run.known.starts[target.user]) + target.place for target in targets]
    new = [
        number
        for number, at in enumerate(places)
        if times[at] > release.newest_event_ms and not brought[at]
    ]
    told = f"{release.release_id} on {len(new):,} events that no list brought about"
    if len(new) < LEAST:
        run.say(f"not compared with {told}: they are too few")
        return None
    found = np.full(len(new), MISSED, np.int64)
    asked = [place for place, number in enumerate(new) if known.knows(targets[number])]
    examples = known.maker.examples([known.target(targets[new[place]]) for place in asked])
    found[asked] = list_places(live, packer, list(examples), run.say)
    users = [targets[number].user for number in new]
    of_ours, of_theirs = ndcg(np.array(ours, np.int64)[new], K), ndcg(found, K)
    return _beside(told, users, of_ours, of_theirs, np.ones(len(new)), run.say)


def _on_lists(
    release: Release,
    run: Run,
    known: KnownTo,
    live: Ranker,
    theirs: Packer,
    ranker: Ranker,
    ours: Packer,
) -> BesideEntry | None:
    """Compare on lists that were shown and not learned from, by the features as served."""
    held = [
        one
        for one in held_lists(ours.maker, run.impressions, run.split)
        if one.time_ms > release.newest_event_ms and (known.rows[one.rows] >= 0).all()
    ]
    told = f"{release.release_id} on {len(held):,} items taken from lists"
    if len(held) < LEAST or list(live.config.features) != FEATURES:
        run.say(f"not compared with {told}: they are too few, or its features are others")
        return None
    every = [*shown_lists(ours.maker, run.impressions, run.split), *held]
    bias = measured_bias(every, [logits[:, 0] for logits in scored(ranker, ours, every)])
    looked_at = np.exp([bias[one.positions[one.found_at]] for one in held])
    return _beside(
        told,
        [one.target.user for one in held],
        ndcg(_in_lists(ranker, ours, held), K),
        ndcg(_in_lists(live, theirs, known.lists(held)), K),
        np.minimum(1.0 / looked_at, WEIGHT_MOST),
        run.say,
    )


def _in_lists(ranker: Ranker, packer: Packer, shown: Sequence[Shown]) -> npt.NDArray[np.int64]:
    """Return the places of what was taken among what was shown, int64 [lists]."""
    told = zip(scored(ranker, packer, shown), shown, strict=True)
    return np.array([place_of(one.found_at, logits[:, 0]) for logits, one in told], np.int64)


def _beside(
    told: str, users: Sequence[int], ours: Float64, theirs: Float64, weights: Float64, say: Say
) -> BesideEntry:
    """Compare weighted means over targets [n]; the interval is over users."""
    weights = weights / weights.mean()
    bootstrap = UserBootstrap(np.array(users, np.int64))
    difference = bootstrap.difference(ours * weights, theirs * weights)
    mean, other = float((ours * weights).mean()), float((theirs * weights).mean())
    low, high = difference["ci95"]
    gain = f"{difference['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
    say(f"beside {told}: NDCG@{K} {mean:.4f} for {other:.4f}, {gain}")
    return {
        "metric": f"ndcg@{K}",
        "targets": len(users),
        "ours": mean,
        "theirs": other,
        "difference": difference["difference"],
        "ci95": difference["ci95"],
    }
