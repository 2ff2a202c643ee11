"""`tandem policy`: look at a safety policy before it is put in force."""

from pathlib import Path

import typer

from tandem_cli.console import out, say
from tandem_cli.dataset_spec import DATASET_HELP, need_dataset
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import CatalogTarget, calling
from tandem_cli.policy import need_policy

app = typer.Typer(help="Check a safety policy.", no_args_is_help=True)


@app.callback()
def policy() -> None:
    """Have the commands below keep their names though there is only one."""


@app.command("check")
def check(
    file: Path = typer.Argument(..., help="The policy file, TOML."),
    dataset: str = typer.Option(
        "", "--dataset", "-d", help=f"Try it on a data set: {DATASET_HELP}"
    ),
    live: bool = typer.Option(False, "--live", help="Try it on the catalogue of a running stack."),
    catalog_target: str = CatalogTarget,
) -> None:
    """Say whether a file is right and, for a catalogue, how many items each rule concerns."""
    read = need_policy(file)
    say(f"{file} is right: {read.rule_count} rules, {len(read.overrides)} overrides")
    if dataset and live:
        raise CommandFailed("--dataset and --live do not go together")
    if not dataset and not live:
        return
    # pandas takes a second to import, which the check alone need not wait for.
    from tandem_cli.policy_report import report_of

    if live:
        with calling(catalog_target, catalog_target) as client:
            report = report_of(read, client.list_items())
    else:
        need_dataset(dataset)
        from tandem_cli.ingestion import open_for_ingestion
        from training.datasets import Cleaning
        from training.datasets.protos import items_of

        report = report_of(read, items_of(open_for_ingestion(dataset, Cleaning())))
    for part in report.parts():
        out.print(part)
