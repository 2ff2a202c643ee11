"""Items are held out entirely: nobody learns of them, and no history holds them."""

from pathlib import Path

import numpy as np

from benchmarks.new_items import chance, held_out
from benchmarks.words_only import write_dataset
from tests.support.trained import write_two_tastes
from training.datasets.source import open_dataset
from training.evaluation.protocols import Protocol
from training.evaluation.trial import make_trial


def test_of_a_held_out_item_no_event_is_known_and_every_one_is_asked_for(tmp_path: Path) -> None:
    whole = open_dataset(str(write_two_tastes(tmp_path / "whole")), rejects=None)
    events = held_out(whole)
    users = whole.users.assign(tags=whole.users["tags"].map("|".join))
    write_dataset(whole, events, users, tmp_path / "part")
    dataset = open_dataset(str(tmp_path / "part"), rejects=None)
    assert len(dataset.items) == len(whole.items) == 40
    assert len(dataset.interactions) == len(whole.interactions)
    trial = make_trial(dataset, Protocol("given"))
    drawn = set(trial.requests.items.tolist())
    assert len(drawn) == 4
    rows = trial.events.events.rows
    assert not drawn & set(rows[trial.known].tolist())
    assert len(trial.requests) == np.isin(rows, list(drawn)).sum()
    _, past = trial.histories(trial.requests)
    assert not drawn & set(rows[past].tolist())
    assert not trial.popularity()[list(drawn)].any()


def test_chance_is_that_of_ten_items_drawn_from_all() -> None:
    assert chance(1_000)["hr@10"] == 0.01
    assert np.isclose(chance(10)["ndcg@10"], (1 / np.log2(np.arange(2, 12))).mean())
