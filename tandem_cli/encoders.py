"""Encoder directories: the one a release was trained with, or one made of given weights."""

from pathlib import Path

from features.release import Release
from tandem_cli.console import timed
from tandem_cli.disk import need_free
from tandem_cli.failure import CommandFailed
from tandem_cli.subcommand import run_subcommand

ENCODERS = Path("var/encoders")
FREE_DISK_MIB = 512


def prepare_encoder(weights: Path | None, encoders: Path) -> Path:
    """Make, or find again, the encoder directory of Hugging Face weights; None: the default's."""
    from tandem_cli.encoder_directory import default_weights, prepare

    need_free(encoders, FREE_DISK_MIB, "an encoder")
    source = default_weights() if weights is None else weights
    with timed(f"preparing the text encoder of {source}"):
        return prepare(source, encoders)


def prepare_image_tower(weights: Path, encoders: Path) -> Path:
    """Make, or find again, the directory of a Hugging Face image tower."""
    from tandem_cli.images.directory import prepare_tower

    need_free(encoders, FREE_DISK_MIB, "an image encoder")
    with timed(f"preparing the image tower of {weights}"):
        return prepare_tower(weights, encoders)


def encoder_of(release: Release, encoders: Path) -> Path:
    """Return the encoder directory that a release was trained with; makes the default one.

    It is made by a process of its own: what that loads would stay in this one's memory.
    """
    directory = encoders / release.encoder_version
    if not (directory / "encoder.json").is_file():
        run_subcommand("encoder", "prepare", "--encoders", str(encoders), quiet=True)
    if not (directory / "encoder.json").is_file():
        raise CommandFailed(
            f"{release.uri} was trained with the text encoder {directory.name}, which is not in "
            f"{encoders}; prepare it: tandem encoder prepare --encoder WEIGHTS"
        )
    return directory
