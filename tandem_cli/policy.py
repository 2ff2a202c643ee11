"""Opens policy files for commands."""

from pathlib import Path

from features.policy import Policy
from features.policy_file import PolicyInvalid, read_policy
from tandem_cli.failure import CommandFailed


def need_policy(path: Path) -> Policy:
    """Return the policy of a file. Raises CommandFailed if it is broken."""
    try:
        return read_policy(path)
    except PolicyInvalid as error:
        raise CommandFailed(str(error)) from error
