"""Looks at the disk before something large is written."""

import shutil
from pathlib import Path

from tandem_cli.failure import CommandFailed

MIB = 1024 * 1024


def need_free(directory: Path, mebibytes: int, what: str) -> None:
    """Raise CommandFailed unless the disk that will hold a directory has so much room."""
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < mebibytes * MIB:
        raise CommandFailed(
            f"{what} needs {mebibytes} MiB of free disk at {existing}, which has {free // MIB} MiB"
        )
