"""`tandem simulate`: serve, react, record, retrain on the sample world, beside what is popular."""

import asyncio
import shutil
from pathlib import Path

import typer

from tandem_cli.console import say
from tandem_cli.disk import need_free
from tandem_cli.failure import CommandFailed
from tandem_cli.subcommand import run_subcommand
from tandem_cli.training_run import FREE_DISK_MIB

OURS = "tandem"


def simulate(
    json_file: Path = typer.Option(
        ..., "--json", help="The report to write; a picture comes beside it."
    ),
    days: int = typer.Option(14, min=1, help="How many days."),
    visits: int = typer.Option(150, min=1, help="How many people look in on a day."),
    items: int = typer.Option(800, min=10, help="Items of the world."),
    users: int = typer.Option(300, min=10, help="Users of the world."),
    retrain_every: int = typer.Option(1, min=1, help="Nights from one training to the next."),
    seed: int = typer.Option(7, help="Of the world and of all chance in it."),
    changes: list[str] = typer.Option(
        [], "--set", help="A setting of training, such as positions=2000. Repeatable."
    ),
    work: Path = typer.Option(
        Path("var/simulate"), "--work", help="Where world, releases and logs go; emptied first."
    ),
) -> None:
    """Let people of the sample world, whose tastes drift, live with each system day by day."""
    need_free(work, FREE_DISK_MIB, "a simulation")
    if work.exists() and not (work / "world" / "truth").is_dir() and any(work.iterdir()):
        raise CommandFailed(f"{work} holds something that is not a simulation; it was left alone")
    work = work.resolve()  # the trainings run elsewhere
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    options = [word for change in changes for word in ("--set", change)]
    world, first = work / "world", work / "releases" / "first"
    size = ["--items", str(items), "--users", str(users), "--seed", str(seed)]
    run_subcommand("sample", str(world), *size)
    run_subcommand("train", "--dataset", str(world), "--out", str(first), *options)

    from tandem_cli.simulation.picture import draw
    from tandem_cli.simulation.report import report, write
    from tandem_cli.simulation.run import Days, live

    told = Days(days, visits, seed=seed)
    diaries = asyncio.run(live(work, told, OURS, retrain_every, options))
    found = report(diaries, OURS, world, told)
    found["about"] = {
        "items": items,
        "users": users,
        "retrain_every": retrain_every,
        "set": changes,
    }
    write(found, json_file)
    draw(found, json_file.with_suffix(".png"))
    for name, ahead in found["ahead"].items():
        start = ahead["from_day"]
        say(f"ahead of {name} from day {start} on" if start else f"not ahead of {name} at the end")
