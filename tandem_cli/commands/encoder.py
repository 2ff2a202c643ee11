"""`tandem encoder`: make encoder directories."""

from pathlib import Path

import typer

from tandem_cli.encoders import ENCODERS, prepare_encoder

app = typer.Typer(help="Prepare text encoders.", no_args_is_help=True)

Weights = typer.Option(
    None, "--encoder", help="Hugging Face directory of an encoder. Default: all-MiniLM-L6-v2."
)
Encoders = typer.Option(ENCODERS, "--encoders", help="Where prepared encoders are kept.")


@app.callback()
def callback() -> None:
    """Prepare text encoders."""


@app.command("prepare")
def prepare(encoder: Path | None = Weights, encoders: Path = Encoders) -> None:
    """Make of Hugging Face weights what Triton and the ranker load; print the directory."""
    typer.echo(str(prepare_encoder(encoder, encoders)))
