"""A command of `tandem` that another one runs: what it loads and starts goes when it ends."""

import subprocess
import sys

from tandem_cli.failure import CommandFailed
from tandem_cli.stack.process import bound_to_parent


def run_subcommand(*arguments: str, quiet: bool = False) -> None:
    """Run `tandem` with these arguments; it ends with this process, however that ends.

    quiet: whether what it prints is dropped; what goes wrong is shown all the same. Raises
    CommandFailed if it fails.
    """
    done = subprocess.run(
        [*bound_to_parent(), sys.executable, "-m", "tandem_cli", *arguments],
        check=False,
        stdout=subprocess.DEVNULL if quiet else None,
    )
    if done.returncode != 0:
        raise CommandFailed(f"`tandem {arguments[0]}` failed")
