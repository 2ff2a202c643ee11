"""What a running stack has logged, fetched to train on."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from features.release import Release, open_release
from serving.errors import ReleaseUnusable
from tandem.v1.item_pb2 import Item
from tandem_cli.console import timed
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import calling
from tandem_client import TandemClient


@dataclass(frozen=True)
class LoggedData:
    """A data set directory of what was logged, and the release that serves."""

    directory: Path
    live: Path


def fetch_logged(
    target: str, catalog_target: str, out: Path, *, relations: Path | None, restart: bool
) -> LoggedData:
    """Write what a stack has logged beside `out`, unless an earlier run has left it there.

    So a training that was stopped goes on with the events that it began with. relations: a file
    that comes to lie beside them, which the stack knows nothing of.
    """
    from training.datasets.exported import write_exported

    directory = out.with_name(f".{out.name}.events")
    draft = directory.with_name(f"{directory.name}.draft")
    if restart:
        shutil.rmtree(directory, ignore_errors=True)
    with calling(target, catalog_target) as client:
        live = _live(client)
        if not directory.exists():
            shutil.rmtree(draft, ignore_errors=True)
            entry = live.manifest["dataset"]
            with timed("fetching events"):
                write_exported(
                    draft,
                    client.export_events(),
                    _with_vectors(client.list_items(with_vectors=True), live),
                    name=entry["name"],
                    repeat=entry["repeat"],
                )
                if relations is not None:
                    ending = ".csv.gz" if relations.name.endswith(".csv.gz") else relations.suffix
                    shutil.copyfile(relations, draft / f"relations{ending}")
            draft.rename(directory)
    return LoggedData(directory, live.directory)


def _with_vectors(items: Iterable[Item], live: Release) -> Iterator[Item]:
    """Yield items, with the vectors that the release has where an item brought none itself."""
    table = live.items
    for item in items:
        row = table.row(item.item_id)
        for space, released in table.media.spaces.items():
            if row >= 0 and space not in item.vectors and released[row].any():
                item.vectors[space].float32_values = released[row].astype("<f4").tobytes()
        yield item


def _live(client: TandemClient) -> Release:
    """Return the release that serves. Raises CommandFailed if it does not lie on this machine."""
    known = client.list_releases(timeout_s=10.0)
    current = next((r for r in known.releases if r.release_id == known.current_release_id), None)
    if current is None:
        raise CommandFailed("no release serves; activate one first")
    try:
        return open_release(current.release_uri, verify=False)
    except ReleaseUnusable as error:
        raise CommandFailed(str(error)) from error
