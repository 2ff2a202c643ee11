from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tandem_cli.commands.train import tracker
from training.progress import Rate, Tracker, record


def test_a_tracker_says_and_counts_the_steps_of_each_number() -> None:
    said, written = [], []
    told = Tracker(said.append, lambda *entry: written.append(entry))
    told("hello")
    for value in (3.0, 2.0):
        record(told, "tower/loss", value)
    record(told, "ranker/loss", 1.5)
    assert said == ["hello"]
    assert written == [("tower/loss", 3.0, 1), ("tower/loss", 2.0, 2), ("ranker/loss", 1.5, 1)]


def test_numbers_go_nowhere_where_people_are_only_told() -> None:
    said = []
    record(said.append, "tower/loss", 1.0)
    assert said == []


def test_a_rate_counts_from_the_last_look() -> None:
    pace = Rate()
    assert pace.of(0) == 0.0
    assert pace.of(1) > 0.0


def test_tensorboard_reads_what_training_writes(tmp_path: Path) -> None:
    said: list[str] = []
    with tracker(said.append, tmp_path) as told:
        told("begun")
        for value in (0.5, 0.25):
            record(told, "ranker/loss", value)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("ranker/loss")] == [
        (1, 0.5),
        (2, 0.25),
    ]
    assert said == ["begun"]


def test_without_a_directory_nothing_is_written(tmp_path: Path) -> None:
    said: list[str] = []
    with tracker(said.append, None) as told:
        record(told, "ranker/loss", 0.5)
    assert list(tmp_path.iterdir()) == []
