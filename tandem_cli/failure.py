"""How a command says that it could not do its work."""


class CommandFailed(Exception):
    """The command cannot go on. The text is one line for people; the exit status is 1."""
