"""`tandem sample`: write a made-up world."""

from enum import StrEnum
from pathlib import Path

import typer

from tandem_cli.console import timed
from tandem_cli.disk import need_free
from tandem_cli.failure import CommandFailed

FREE_DISK_MIB = 100


class Domain(StrEnum):
    """What the items of a world are."""

    MIXED = "mixed"
    SHOP = "shop"
    SOCIAL = "social"
    VIDEO = "video"
    MUSIC = "music"
    NEWS = "news"
    HOME = "home"


def sample(
    directory: Path = typer.Argument(
        ..., help="Where to write: new, empty, or an older world to replace."
    ),
    domain: Domain = typer.Option(Domain.MIXED, help="What the items are."),
    items: int = typer.Option(3000, min=10, max=1_000_000, help="How many items."),
    users: int = typer.Option(1500, min=10, max=1_000_000, help="How many users."),
    seed: int = typer.Option(7, help="The same seed makes the same world."),
    friends: bool = typer.Option(False, "--friends", help="Tell who knows whom, too."),
) -> None:
    """Write a sample world: items, users and what they did, with the planted tastes beside it."""
    # pandas takes a second to import, which the other commands need not wait for.
    from sample_world import WorldError, write_world

    need_free(directory, FREE_DISK_MIB, "a sample world")
    try:
        with timed(f"writing {items:,} items and {users:,} users to {directory}"):
            write_world(
                directory,
                domain=str(domain),
                items=items,
                users=users,
                seed=seed,
                friends=friends,
            )
    except WorldError as error:
        raise CommandFailed(str(error)) from error
