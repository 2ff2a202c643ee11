"""`tandem ingest`: write a data set to a running stack."""

import typer

from tandem_cli.dataset_spec import DATASET_HELP, Clean, cleaning_of
from tandem_cli.gateway import CatalogTarget, Target, calling


def ingest(
    dataset: str = typer.Option(..., "--dataset", "-d", help=DATASET_HELP),
    clean: list[str] = Clean,
    target: str = Target,
    catalog_target: str = CatalogTarget,
) -> None:
    """Write a data set's items, profiles and events; what is stored already stays as it is."""
    # pandas takes a second to import, which the other commands need not wait for.
    from tandem_cli import ingestion

    opened = ingestion.open_for_ingestion(dataset, cleaning_of(clean))
    with calling(target, catalog_target) as client:
        ingestion.ingest(client, opened)
