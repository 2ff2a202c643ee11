"""A command that does something itself and has commands below it."""

from typing import Any

from typer.core import TyperGroup


class CommandWithCommands(TyperGroup):
    """Needs its own required options only where none of the commands below it is called.

    Such a command is named first, before any option.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; `ctx.invoked_subcommand` is set before the callback runs."""
        if not (args and args[0] in self.commands):
            return super().parse_args(ctx, args)
        needed = [parameter for parameter in self.params if parameter.required]
        for parameter in needed:
            parameter.required = False
        try:
            return super().parse_args(ctx, args)
        finally:
            for parameter in needed:
                parameter.required = True
