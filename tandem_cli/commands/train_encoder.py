"""`tandem train encoder`: go on training a text encoder, on a catalogue's texts or on behaviour."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from tandem_cli.commands.encoder import Encoders, Weights
from tandem_cli.dataset_spec import DATASET_HELP, Clean, cleaning_of, need_dataset
from tandem_cli.disk import need_free
from tandem_cli.encoders import prepare_encoder
from tandem_cli.failure import CommandFailed
from tandem_cli.training_run import FREE_DISK_MIB, training_run


def train_encoder(
    pretrain: bool = typer.Option(
        False, "--pretrain", help="Masked-language-model training on item texts."
    ),
    behaviour: bool = typer.Option(
        False, "--behaviour", help="Two towers on what people did: histories find the next item."
    ),
    dataset: str = typer.Option(..., "--dataset", "-d", help=DATASET_HELP),
    out: Path = typer.Option(
        ..., "--out", "-o", help="The directory to write, for --encoder of `tandem train`."
    ),
    steps: int | None = typer.Option(
        None, min=1, help="Steps at most: default 1000 of --pretrain, 400 of --behaviour."
    ),
    learning_rate: float | None = typer.Option(
        None, min=0.0, help="The encoder's, at its highest: default 3e-5 and 5e-5."
    ),
    anchor: float | None = typer.Option(
        None,
        min=0.0,
        help="How strongly texts' vectors are held to what they were; 0: not at all. "
        "Default 10 and 5.",
    ),
    seed: int = typer.Option(7, help="Decides what is drawn and what is held out."),
    clean: list[str] = Clean,
    encoder: Path | None = Weights,
    encoders: Path = Encoders,
) -> None:
    """Go on training a text encoder on a data set, and tell what it gained.

    --pretrain reads the item texts, --behaviour what users did. For both, one after the other, give
    the first one's directory to the second as --encoder. Told is the recall@200 of the
    meaning-based source on each user's validation event, before and after, and besides the
    held-out loss of --pretrain, and for --behaviour recall on test events and whether words still
    find items. A gain is not certain: where there is none, that is said, and the directory is
    written all the same.
    """
    if pretrain == behaviour:
        raise CommandFailed("say --pretrain or --behaviour: one way in which an encoder is trained")
    cleaning = cleaning_of(clean)
    if out.exists():
        raise CommandFailed(f"{out} exists already; an encoder is never overwritten")
    need_dataset(dataset)
    need_free(out, FREE_DISK_MIB, "training the encoder")
    directory = prepare_encoder(encoder, encoders)

    from tandem_cli.encoder_directory import default_weights, read_about
    from training.encoder.behaviour_run import fine_tune_encoder
    from training.encoder.pretraining_run import pretrain_encoder
    from training.encoder.settings import BehaviourSettings, PretrainSettings

    about = read_about(directory)
    given: dict[str, Any] = {"steps": steps, "learning_rate": learning_rate, "anchor": anchor}
    changed = {name: value for name, value in given.items() if value is not None}
    where: dict[str, Any] = {
        "weights": encoder or default_weights(),
        "tokenizer_directory": directory,
        "pooling": about["pooling"],
        "pad_id": about["pad_id"],
        "max_tokens": about["max_tokens"],
        "cleaning": cleaning,
    }
    with training_run() as tell:
        if pretrain:
            masked = replace(PretrainSettings(), seed=seed, **changed)
            pretrain_encoder(dataset, out, settings=masked, say=tell, **where)
        else:
            towers = replace(BehaviourSettings(), seed=seed, **changed)
            fine_tune_encoder(dataset, out, settings=towers, say=tell, **where)
