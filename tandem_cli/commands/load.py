"""`tandem load`: how a running stack does under load."""

import json

import grpc
import typer
import uvloop

from tandem_cli.console import out, say
from tandem_cli.dataset_spec import DATASET_HELP
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import Target, one_line
from tandem_cli.load.run import Load, load_test
from tandem_cli.load.schedule import steps_of
from tandem_cli.load.users import users_of_dataset
from tandem_cli.load.view import print_report


def load(
    rates: list[float] = typer.Option(
        [], "--rate", "-r", help="Requests per second. Repeatable: one step after the other."
    ),
    ramp: str = typer.Option("", help="FROM:TO:STEPS: further steps, such as 5:50:10."),
    seconds: float = typer.Option(20.0, min=0.1, help="How long each step takes."),
    warm_up_s: float = typer.Option(
        3.0, "--warm-up", min=0.0, help="Seconds at the first rate that do not count."
    ),
    dataset: str = typer.Option(
        "", "--dataset", "-d", help=f"Whose users to ask for. {DATASET_HELP} Default: the stack's."
    ),
    unknown_share: float = typer.Option(
        0.0, min=0.0, max=1.0, help="Share of requests from users that nobody knows."
    ),
    texts: list[str] = typer.Option(
        [], "--text", "-t", help="Words of requests. Repeatable: they take turns."
    ),
    count: int = typer.Option(10, "-k", "--count", help="How many items, 1 to 500."),
    timeout_s: float = typer.Option(2.0, min=0.01, help="Deadline of each call in seconds."),
    within_s: float = typer.Option(
        0.0, "--within", min=0.0, help="Seconds in which an answer is good. Default: the deadline."
    ),
    seed: int = typer.Option(0, help="Of arrivals and users."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
    target: str = Target,
) -> None:
    """Ask for lists at given rates, answered or not, and tell how it went.

    Arrivals are a Poisson process. Times run from when a request was meant to be sent, so that a
    stall shows in all requests that it held up. Run it on another machine than the stack where you
    can: it takes 0.3 ms of a core for each request.
    """
    steps = steps_of(rates, ramp, seconds, warm_up_s)
    users = users_of_dataset(dataset) if dataset else []
    asked = Load(
        steps,
        users,
        unknown_share,
        texts,
        count,
        timeout_s,
        within_s or timeout_s,
        seed,
    )
    say(f"sending for {sum(step.seconds for step in steps):.0f} s to {target}")
    try:
        found = uvloop.run(load_test(target, asked))
    except grpc.RpcError as error:
        raise CommandFailed(one_line(error, target)) from error
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        print_report(out, found["steps"])
