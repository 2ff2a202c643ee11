"""`tandem erase`: forget a user."""

import typer

from tandem_cli.console import say
from tandem_cli.gateway import Target, calling


def erase(
    user: str = typer.Option(..., "--user", "-u", help="The user."),
    target: str = Target,
) -> None:
    """Remove a user's profile, events and impressions for good."""
    with calling(target) as client:
        erased = client.erase_user(user, timeout_s=30.0)
    say(f"erased {erased.erased_event_count} events, {erased.erased_impression_count} impressions")
