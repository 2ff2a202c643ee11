"""`tandem release`: move the pointer to the release that serves."""

from pathlib import Path

import typer
from rich import box
from rich.table import Table

from features.release import open_release
from serving.errors import ReleaseUnusable
from tandem.v1 import info_service_pb2
from tandem_cli.console import out, say
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import Target, calling
from tandem_client import TandemClient

app = typer.Typer(help="Activate, roll back or list releases.", no_args_is_help=True)


@app.command("activate")
def activate(
    directory: Path = typer.Argument(..., help="The release directory."),
    force: bool = typer.Option(
        False, "--force", help="Even if training found it worse than the release that served then."
    ),
    target: str = Target,
) -> None:
    """Have every service load a release, then serve it, without downtime."""
    check_release(directory)
    with calling(target) as client:
        follow_activation(client, directory, force=force)


@app.command("rollback")
def rollback(target: str = Target) -> None:
    """Serve the previous release again."""
    with calling(target) as client:
        response = client.rollback_release(timeout_s=60.0)
    say(f"{response.current_release_id} serves, as it did before {response.previous_release_id}")


@app.command("list")
def list_releases(target: str = Target) -> None:
    """List the releases that were activated, newest first."""
    with calling(target) as client:
        response = client.list_releases(timeout_s=10.0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Release", "", "State", "Directory"):
        table.add_column(heading, overflow="fold")
    roles = {response.previous_release_id: "previous", response.current_release_id: "serves"}
    for release in response.releases:
        state = info_service_pb2.ReleaseState.Name(release.state)
        table.add_row(
            release.release_id,
            roles.get(release.release_id, ""),
            state.removeprefix("RELEASE_STATE_").lower(),
            release.release_uri,
        )
    out.print(table)


def check_release(directory: Path) -> str:
    """Return the id of a release whose files are all there and match their hashes."""
    try:
        return open_release(directory).release_id
    except ReleaseUnusable as error:
        raise CommandFailed(str(error)) from error


def follow_activation(client: TandemClient, directory: Path, *, force: bool = False) -> None:
    """Activate a release and tell each step."""
    steps = client.activate_release(str(directory.resolve()), force=force, timeout_s=900.0)
    for step in steps:
        say(f"  {step.message}")
