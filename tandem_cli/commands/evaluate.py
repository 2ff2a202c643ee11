"""`tandem evaluate`: every system on one split, with intervals, and a report."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.table import Table

from tandem_cli.commands.encoder import Encoders, Weights
from tandem_cli.commands.recommend import parse_time
from tandem_cli.console import out, say
from tandem_cli.dataset_spec import DATASET_HELP, Clean, cleaning_of, need_dataset
from tandem_cli.disk import need_free
from tandem_cli.encoders import prepare_encoder
from tandem_cli.failure import CommandFailed
from tandem_cli.train_settings import SettingsFile, changed_settings
from tandem_cli.training_run import FREE_DISK_MIB

PROTOCOLS = ("loo", "time", "given")


def evaluate(
    dataset: str = typer.Option(..., "--dataset", "-d", help=DATASET_HELP),
    protocol: str = typer.Option("loo", help="loo, time or given; docs/evaluation.md tells them."),
    systems: str = typer.Option(
        "all", help="all, or names with commas: tandem (with its stages) and baselines."
    ),
    json_file: Path = typer.Option(
        ..., "--json", help="The report to write; a page and pictures come beside it."
    ),
    seeds: str = typer.Option("1", help="Seeds of training, with commas; means are over them."),
    targets: int = typer.Option(1, min=1, help="loo: how many last events of each user."),
    cut: str = typer.Option("0.1", help="time: share of the newest events, or an ISO 8601 time."),
    liked: float = typer.Option(4.0, help="time: least rating of a target; unrated ones count."),
    folds: int = typer.Option(0, min=0, help="loo: cross-validate over so many parts of users."),
    repeat: bool | None = typer.Option(
        None, "--repeat/--no-repeat", help="May seen items come again? Default: as the data say."
    ),
    noise: str = typer.Option(
        "", help="Shares of random interactions to run with besides: 0.1,0.2"
    ),
    ablate: str = typer.Option(
        "", help="Also train and ask Tandem without some of it: time, place, PARTS, or all."
    ),
    requests: int = typer.Option(5_000, min=0, help="Requests at most, a fixed sample; 0: all."),
    labelled: int = typer.Option(20_000, min=0, help="Labelled rows at most, by user; 0: all."),
    settings_file: Path | None = SettingsFile,
    changes: list[str] = typer.Option(
        [], "--set", help="A setting of Tandem's training, such as epochs=2. Repeatable."
    ),
    in_process: bool = typer.Option(
        False, "--in-process", help="Ask models in this process, not services; for lack of a stack."
    ),
    clean: list[str] = Clean,
    release: Path | None = typer.Option(
        None, "--release", "-r", help="A release to ask instead of training one."
    ),
    encoder: Path | None = Weights,
    encoders: Path = Encoders,
    encoder_target: str = typer.Option(
        "", help="host:port of a Triton with this encoder, for training. Default: one is started."
    ),
    work: Path = typer.Option(
        Path("var/evaluate"), "--work", help="Where results are kept; a second run goes on there."
    ),
) -> None:
    """Compare Tandem with strong baselines on one split, through the path that is served."""
    # A mistake in the arguments is told before anything large is loaded.
    settings = changed_settings(changes, settings_file)
    cleaning = cleaning_of(clean)
    if protocol not in PROTOCOLS:
        raise CommandFailed(f"--protocol {protocol}: is none of {', '.join(PROTOCOLS)}")
    if folds == 1 or (folds and protocol != "loo"):
        raise CommandFailed("--folds wants 2 or more, and the protocol loo")
    numbers = [_number("--seeds", text, int) for text in seeds.split(",")]
    shares = [_number("--noise", text, float) for text in noise.split(",") if text]
    if any(not 0 < share <= 1 for share in shares):
        raise CommandFailed("--noise wants shares above 0, at most 1")
    need_dataset(dataset)
    need_free(work, FREE_DISK_MIB, "an evaluation")

    from tandem_cli.evaluation.baselines import BASELINES
    from tandem_cli.evaluation.plan import Plan
    from tandem_cli.evaluation.run import evaluate as run
    from tandem_cli.evaluation.tandem import TandemSettings
    from training.datasets import DatasetError, open_dataset
    from training.errors import TrainingError
    from training.evaluation.protocols import Protocol
    from training.parts import PARTS

    known = (*BASELINES, "tandem", *(f"tandem:{parts}" for parts in PARTS if parts != "all"))
    whole = [name for name in known if ":" not in name]
    names = whole if systems == "all" else [name.strip() for name in systems.split(",")]
    names += [name for name in _ablated(ablate, known) if name not in names]
    if unknown := [name for name in names if name not in known]:
        raise CommandFailed(f"--systems {unknown[0]}: the systems are {', '.join(known)}")
    asks_tandem = any(name.startswith("tandem") for name in names)
    share, cut_ms = _cut(cut)
    try:
        opened = open_dataset(dataset, rejects=None, cleaning=cleaning)
        say(str(opened.report))
        plan = Plan(
            dataset=opened,
            protocol=Protocol(protocol, targets, share, cut_ms, liked, folds),
            systems=names,
            tandem=TandemSettings(
                spec=dataset,
                train=settings,
                encoder=prepare_encoder(encoder, encoders) if asks_tandem else Path(),
                encoders=encoders,
                encoder_target=encoder_target,
                release=release,
                cleaning=cleaning,
                in_process=in_process,
            ),
            seeds=numbers,
            repeat=repeat,
            requests=requests,
            rated=labelled,
            noise=shares,
            work=work,
        )
        report = run(plan)
    except (DatasetError, TrainingError) as error:
        raise CommandFailed(str(error)) from error
    _write(report, json_file)
    if any(system["status"] == "failed" for system in report["systems"].values()):
        sys.exit(1)


def _ablated(words: str, known: Sequence[str]) -> list[str]:
    """Return the systems of an ablation: Tandem and what it is to be compared with."""
    if not words:
        return []
    parts = [name.removeprefix("tandem:") for name in known if ":" in name]
    asked = parts if words == "all" else [word.strip() for word in words.split(",")]
    # What may be left out is named by itself.
    named = [f"without_{word}" if f"without_{word}" in parts else word for word in asked]
    if unknown := [word for word in named if word not in parts]:
        raise CommandFailed(
            f"--ablate {unknown[0]}: what there is: time, place, {', '.join(parts)}"
        )
    return ["tandem", *(f"tandem:{name}" for name in named)]


def _write(report: dict[str, Any], file: Path) -> None:
    """Write JSON, pictures and page, and print the table."""
    from training.evaluation.notes import notes, significance_lines
    from training.evaluation.page import markdown
    from training.evaluation.pictures import draw
    from training.evaluation.report import write_json
    from training.evaluation.tables import labels_table, ranking_table

    write_json(report, file)
    page = file.with_suffix(".md")
    page.write_text(markdown(report, draw(report, file.with_suffix(""))), encoding="utf-8")
    for heading, rows in (ranking_table(report), labels_table(report)):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for place, name in enumerate(heading):
            table.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*row)
        if rows:
            out.print(table)
    for line in (*notes(report), *significance_lines(report)):
        out.print(line, highlight=False, markup=False)
    say(f"written to {file} and {page} after {report['seconds']:.0f} s")


def _number(option: str, text: str, kind: type[Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise CommandFailed(f"{option}: {text!r} is no number") from None


def _cut(text: str) -> tuple[float, int | None]:
    """Read a share of events or a time, Unix milliseconds."""
    try:
        share = float(text)
    except ValueError:
        moment = parse_time(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return 0.1, int((moment - epoch).total_seconds() * 1000)
    if not 0 < share < 1:
        raise CommandFailed("--cut wants a share between 0 and 1, or a time")
    return share, None
