from dataclasses import replace

import pytest

from training.estimate import Counts, Estimate, estimate, parameters
from training.settings import TrainSettings

MINILM = {
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "intermediate_size": 1536,
    "vocab_size": 30_522,
}
COUNTS = Counts(
    events=100_836,
    items=9_742,
    texts=9_742,
    characters=477_377,
    learn=8_000,
    validate=600,
    test=610,
    text_width=384,
    language_model=MINILM,
)


def total(counts: Counts, **settings: object) -> float:
    return sum(estimate(counts, replace(TrainSettings(), **settings)).usual_s.values())


def test_parameters_are_those_of_the_blocks_and_of_the_words() -> None:
    assert parameters(MINILM) == (10_616_832, 11_720_448)


def test_time_grows_with_what_there_is_to_do() -> None:
    usual = total(COUNTS)
    assert total(replace(COUNTS, events=300_000)) > usual
    assert total(replace(COUNTS, learn=4_000)) < usual
    assert total(replace(COUNTS, test=0)) < usual
    assert total(COUNTS, epochs=6) > usual
    assert total(COUNTS, negatives=63) > usual
    larger = {**MINILM, "num_hidden_layers": 12}
    assert total(replace(COUNTS, language_model=larger)) > usual


def test_an_epoch_of_the_tower_costs_no_more_than_what_it_reads() -> None:
    settings = TrainSettings(tower_events=1_000_000)
    some, more, few = (
        estimate(replace(COUNTS, events=events), settings).most_s["user tower"]
        for events in (1_000_000, 25_000_000, 500_000)
    )
    assert more == some == 2 * few


def test_a_catalogue_too_large_for_ease_costs_none_of_its_time_or_memory() -> None:
    small = estimate(replace(COUNTS, items=15_000), TrainSettings(ease_items=15_000))
    large = estimate(replace(COUNTS, items=15_001), TrainSettings(ease_items=15_000))
    assert small.usual_s["collaborative filtering"] > large.usual_s["collaborative filtering"] + 60
    assert small.memory_mib > large.memory_mib


def test_at_most_is_no_less_than_usual() -> None:
    found = estimate(COUNTS, TrainSettings())
    assert all(found.most_s[name] >= value for name, value in found.usual_s.items())


def test_people_are_told_minutes_stages_and_memory() -> None:
    told = Estimate({"texts": 30.0, "ranker": 600.0}, {"texts": 30.0, "ranker": 900.0}, 2048.0)
    assert told.line() == (
        "estimate, for 2 idle cores: about 10 min, at most 16 min "
        "(texts 30 s, ranker 10 min), and 2.0 GiB of memory"
    )


def test_the_memory_of_a_measured_run_is_met_within_a_quarter() -> None:
    # MovieLens latest-small, positions=300, ease_items=3000: 2,308 MiB at most.
    counts = replace(COUNTS, learn=362, validate=60, test=0)
    settings = TrainSettings(ease_items=3_000)
    assert estimate(counts, settings).memory_mib == pytest.approx(2_308, rel=0.25)
