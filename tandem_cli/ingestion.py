"""Writes a data set to a running Tandem through its public services."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from tandem_cli.console import Counter, say
from tandem_cli.failure import CommandFailed
from tandem_client import TandemClient
from training.datasets import Cleaning, Dataset, DatasetError, open_dataset
from training.datasets.protos import events_of, friends_of, items_of, profiles_of

T = TypeVar("T")
EVENTS_AT_ONCE = 1_000
PROFILES_IN_FLIGHT = 8
PROFILE_TIMEOUT_S = 30.0


def open_for_ingestion(spec: str, cleaning: Cleaning) -> Dataset:
    """Open a data set; one that cannot be read raises CommandFailed."""
    try:
        return open_dataset(spec, rejects=None, cleaning=cleaning)
    except DatasetError as error:
        raise CommandFailed(str(error)) from error


def ingest(client: TandemClient, dataset: Dataset) -> None:
    """Write items, profiles, friends and events. What is stored stays as it is: safe to repeat."""
    with Counter("items", len(dataset.items)) as counter:
        items = client.upsert_items(_counted(items_of(dataset), counter))
    if items.truncated_text_count:
        say(f"{items.truncated_text_count:,} item texts are longer than the encoder reads")
    _write_each("profiles", list(profiles_of(dataset)), client.put_profile)
    _write_each("lists of friends", list(friends_of(dataset)), client.put_friends)
    with Counter("events", len(dataset.interactions)) as counter:
        events = events_of(dataset)
        while some := list(islice(events, EVENTS_AT_ONCE)):
            client.record_events(some, timeout_s=60.0)
            counter.advance(len(some))


def _write_each(name: str, entries: Sequence[tuple[str, T]], write: Callable[..., object]) -> None:
    """Write something of each user, several at a time."""
    if not entries:
        return
    with Counter(name, len(entries)) as counter, ThreadPoolExecutor(PROFILES_IN_FLIGHT) as pool:
        for _ in pool.map(lambda entry: write(*entry, timeout_s=PROFILE_TIMEOUT_S), entries):
            counter.advance(1)


def _counted(entries: Iterable[T], counter: Counter) -> Iterator[T]:
    for entry in entries:
        yield entry
        counter.advance(1)
