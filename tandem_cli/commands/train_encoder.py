"""`tandem train encoder`: go on training a text encoder on a catalogue's own texts."""

from dataclasses import replace
from pathlib import Path

import typer

from tandem_cli.commands.encoder import Encoders, Weights
from tandem_cli.dataset_spec import DATASET_HELP, Clean, cleaning_of, need_dataset
from tandem_cli.disk import need_free
from tandem_cli.encoders import prepare_encoder
from tandem_cli.failure import CommandFailed
from tandem_cli.training_run import FREE_DISK_MIB, training_run


def train_encoder(
    pretrain: bool = typer.Option(
        False, "--pretrain", help="Masked-language-model training; the only kind there is."
    ),
    dataset: str = typer.Option(..., "--dataset", "-d", help=DATASET_HELP),
    out: Path = typer.Option(
        ..., "--out", "-o", help="The directory to write, for --encoder of `tandem train`."
    ),
    steps: int = typer.Option(1_000, min=1, help="Steps of 32 texts at most."),
    learning_rate: float = typer.Option(3e-5, min=0.0, help="The encoder's, at its highest."),
    anchor: float = typer.Option(
        10.0, min=0.0, help="How strongly texts' vectors are held to what they were; 0: not at all."
    ),
    seed: int = typer.Option(7, help="Decides what is held out and what is hidden."),
    clean: list[str] = Clean,
    encoder: Path | None = Weights,
    encoders: Path = Encoders,
) -> None:
    """Go on training a text encoder on a data set's item texts, and tell what it gained.

    Told are the held-out masked-language-model loss and the recall@200 of the meaning-based
    source on each user's validation event, before and after. A gain is not certain: where there
    is none, that is said, and the directory is written all the same.
    """
    if not pretrain:
        raise CommandFailed("say --pretrain: it is the one way in which an encoder is trained")
    cleaning = cleaning_of(clean)
    if out.exists():
        raise CommandFailed(f"{out} exists already; an encoder is never overwritten")
    need_dataset(dataset)
    need_free(out, FREE_DISK_MIB, "pre-training")
    directory = prepare_encoder(encoder, encoders)

    from tandem_cli.encoder_directory import default_weights, read_about
    from training.encoder.run import pretrain_encoder
    from training.encoder.settings import PretrainSettings

    about = read_about(directory)
    with training_run() as tell:
        pretrain_encoder(
            dataset,
            out,
            weights=encoder or default_weights(),
            tokenizer_directory=directory,
            pooling=about["pooling"],
            pad_id=about["pad_id"],
            max_tokens=about["max_tokens"],
            settings=replace(
                PretrainSettings(),
                seed=seed,
                steps=steps,
                learning_rate=learning_rate,
                anchor=anchor,
            ),
            cleaning=cleaning,
            say=tell,
        )
