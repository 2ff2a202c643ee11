"""`tandem sample`: write a made-up world."""

from enum import StrEnum
from pathlib import Path

import typer

from tandem_cli.console import timed
from tandem_cli.disk import need_free
from tandem_cli.failure import CommandFailed


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
    directory: Path = typer.Argument(..., help="Where to write; must not exist or be empty."),
    domain: Domain = typer.Option(Domain.MIXED, help="What the items are."),
    items: int = typer.Option(3000, min=10, max=1_000_000, help="How many items."),
    users: int = typer.Option(1500, min=10, max=1_000_000, help="How many users."),
    seed: int = typer.Option(7, help="The same seed makes the same world."),
) -> None:
    """Write a sample world: items, users and what they did, with the planted tastes beside it."""
    from sample_world import write_world

    if directory.exists() and any(directory.iterdir()):
        raise CommandFailed(f"{directory} is not empty; nothing was written")
    need_free(directory, 100, "a sample world")
    with timed(f"writing {items:,} items and {users:,} users to {directory}"):
        write_world(directory, domain=str(domain), items=items, users=users, seed=seed)
