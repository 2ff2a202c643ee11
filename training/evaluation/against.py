"""A new release beside the one that serves, on events that neither has learned from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.release import AgainstEntry, Release
from models.ranker.ranker import load_ranker
from models.ranker.text import PrefixTokenizer
from training.evaluation.in_process import models_of, settings_of
from training.evaluation.intervals import UserBootstrap
from training.evaluation.leave_one_out import list_places
from training.evaluation.metrics import MISSED, ndcg
from training.examples import ExampleMaker
from training.fitting import Run
from training.progress import Say
from training.ranker.packing import Packer
from training.targets import Target

Places = npt.NDArray[np.int64]
# Fewer targets tell nothing.
LEAST = 30
K = 10


def compare(
    release: Release, run: Run, item_ids: Sequence[str], ours: Sequence[int], say: Say
) -> AgainstEntry | None:
    """Return how a run's lists are beside those of a release, None where that cannot be told.

    ours: the places of the run's test targets in its own lists. Only targets later than all that
    the release has learned from count. Items that it does not know are missed, histories are
    without them: until it is retrained, that is how it serves them.
    """
    times = run.known.events.times_ms
    targets = run.targets.test
    new = [
        place
        for place, target in enumerate(targets)
        if times[run.known.starts[target.user] + target.place] > release.newest_event_ms
    ]
    if len(new) < LEAST:
        say(f"{release.release_id} is not compared: {len(new)} targets are newer than it, too few")
        return None
    theirs = places_of(release, run, item_ids, [targets[place] for place in new], say)
    bootstrap = UserBootstrap(np.array([targets[place].user for place in new], np.int64))
    of_ours, of_theirs = ndcg(np.array(ours, np.int64)[new], K), ndcg(theirs, K)
    difference = bootstrap.difference(of_ours, of_theirs)
    low, high = difference["ci95"]
    say(
        f"beside {release.release_id}: NDCG@{K} {of_ours.mean():.4f} against {of_theirs.mean():.4f}"
        f" on {len(new):,} targets, {difference['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
    )
    return {
        "release_id": release.release_id,
        "metric": f"ndcg@{K}",
        "targets": len(new),
        "ours": float(of_ours.mean()),
        "theirs": float(of_theirs.mean()),
        "difference": difference["difference"],
        "ci95": difference["ci95"],
        "worse": high < 0,
    }


def places_of(
    release: Release, run: Run, item_ids: Sequence[str], targets: Sequence[Target], say: Say
) -> Places:
    """Return the places of targets in a release's own lists, int64 [targets].

    item_ids: of the run's items.
    """
    rows = release.items.rows(item_ids)
    known = rows[run.known.events.rows] >= 0
    events = run.known.where(known)
    events = replace(events, events=replace(events.events, rows=rows[events.events.rows]))
    before = np.concatenate([[0], np.cumsum(known)])
    start = run.known.starts
    asked, found = [], np.full(len(targets), MISSED, np.int64)
    for number, target in enumerate(targets):
        first, at = start[target.user], start[target.user] + target.place
        if known[at]:
            place = int(before[at] - before[first])
            asked.append((number, replace(target, place=place)))
    maker = ExampleMaker(models_of(release), events, run.words, run.repeat, settings_of(release))
    ranker = load_ranker(release.ranker_directory)
    tokenizer = PrefixTokenizer(release.ranker_directory, ranker.config.max_text_tokens)
    examples = list(maker.examples([target for _, target in asked]))
    places = list_places(ranker, Packer(maker, tokenizer), examples, say)
    found[[number for number, _ in asked]] = places
    return found
