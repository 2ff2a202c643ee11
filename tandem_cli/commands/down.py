"""`tandem down`: stop the stack on this machine."""

from pathlib import Path

from tandem_cli.commands.up import State
from tandem_cli.console import say
from tandem_cli.stack.detached import stop_stack


def down(state: Path = State) -> None:
    """Stop the stack that runs on a state directory; its data stay."""
    stopped = stop_stack(state)
    if stopped:
        say(f"stopped {', '.join(part.name for part in reversed(stopped))}")
    else:
        say(f"no stack runs on {state}")
