"""The command's entry point."""

import sys

import typer

from tandem_cli.commands import (
    demo,
    down,
    encoder,
    evaluate,
    event,
    explain,
    images,
    ingest,
    load,
    policy,
    profile,
    recommend,
    release,
    sample,
    simulate,
    status,
    train,
    tune,
    up,
    user,
)
from tandem_cli.console import say
from tandem_cli.failure import CommandFailed

app = typer.Typer(
    help="A recommendation backend: train, serve and ask.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("sample")(sample.sample)
app.add_typer(train.app, name="train")
app.command("tune")(tune.tune)
app.command("evaluate")(evaluate.evaluate)
app.command("simulate")(simulate.simulate)
app.command("up")(up.up)
app.command("status")(status.status)
app.command("down")(down.down)
app.command("ingest")(ingest.ingest)
app.command("recommend")(recommend.recommend)
app.command("explain")(explain.explain)
app.command("event")(event.event)
app.command("load")(load.load)
app.add_typer(profile.app, name="profile")
app.add_typer(user.app, name="user")
app.add_typer(policy.app, name="policy")
app.add_typer(release.app, name="release")
app.add_typer(encoder.app, name="encoder")
app.add_typer(images.app, name="images")


def main() -> None:
    """Run the command; failures are one line on standard error and exit status 1."""
    try:
        app(prog_name="tandem")
    except CommandFailed as failure:
        say(f"tandem: {failure}")
        sys.exit(1)


if __name__ == "__main__":
    main()
