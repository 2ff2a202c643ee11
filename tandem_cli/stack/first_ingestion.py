"""Fills a new state directory with the data set that its release was trained on."""

import asyncio
import json
import sys
import time
from pathlib import Path

from features.manifest import DatasetEntry
from tandem_cli.console import say
from tandem_cli.dataset_spec import need_dataset
from tandem_cli.failure import CommandFailed
from tandem_client import AsyncTandemClient

FILE = "ingestion.json"
POLL_S = 0.2
EVERY_S = 5.0


async def ingest_first(
    state: Path, gateway: str, catalog: str, trained_on: DatasetEntry, mode: str, clean: list[str]
) -> None:
    """Ingest what `mode` says: `never`, a data set, or `auto`: `trained_on`, if the state is new.

    clean: what goes from a data set that `mode` names; from the other goes what training asked.

    An ingestion that was broken off is begun again by the next `auto`; what is stored stays.
    """
    if mode not in ("auto", "never"):
        await _ingest(state, gateway, catalog, mode, clean)
        return
    spec = trained_on["spec"]
    async with AsyncTandemClient(gateway, catalog) as client:
        empty = (await client.list_items_page(page_size=1, timeout_s=10.0)).total_count == 0
    if mode == "auto" and (empty or _broken_off(state)):
        try:
            need_dataset(spec)
        except CommandFailed as absent:
            say(f"  {absent}, on which the release was trained")
        else:
            await _ingest(state, gateway, catalog, spec, trained_on.get("clean", []))
            return
    if empty:
        say(f"  the catalogue is empty; fill it: tandem ingest --dataset DIR --target {gateway}")


def _broken_off(state: Path) -> bool:
    file = state / FILE
    return file.exists() and not json.loads(file.read_text())["complete"]


async def _ingest(state: Path, gateway: str, catalog: str, spec: str, clean: list[str]) -> None:
    """Run `tandem ingest` as a process of its own: its memory goes when it is done."""
    file = state / FILE
    file.write_text(json.dumps({"dataset": spec, "complete": False}))
    say(f"  ingesting {spec}")
    command = ["-m", "tandem_cli", "ingest", "--dataset", spec]
    command += [part for word in clean for part in ("--clean", word)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--target", gateway, "--catalog-target", catalog
    )
    try:
        status = await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if status != 0:
        raise CommandFailed(f"{spec} could not be ingested; the next `tandem up` tries again")
    file.write_text(json.dumps({"dataset": spec, "complete": True}))
    await wait_for_index(catalog)


async def wait_for_index(catalog: str) -> None:
    """Return once the indexes hold all that was ingested."""
    spoken = time.monotonic()
    async with AsyncTandemClient(catalog) as client:
        while lag := sum(r.index_lag for r in (await client.get_info(timeout_s=10.0)).releases):
            if time.monotonic() - spoken >= EVERY_S:
                spoken = time.monotonic()
                say(f"  indexing: {lag:,} changes left")
            await asyncio.sleep(POLL_S)
