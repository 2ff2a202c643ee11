"""`tandem profile`: show or write what is known of a user besides events."""

import typer

from tandem.v1.user_pb2 import Friend, InterestTag, UserProfile
from tandem_cli.console import say
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import Target, calling
from tandem_cli.messages import as_json

app = typer.Typer(help="Show or write a user's profile.", no_args_is_help=True)


@app.command("get")
def get(
    user: str = typer.Option(..., "--user", "-u", help="The user."),
    target: str = Target,
) -> None:
    """Print profile and history as the models read them, as JSON."""
    with calling(target) as client:
        state = client.get_user_state(user, timeout_s=10.0).user
    typer.echo(as_json(state))


@app.command("put")
def put(
    user: str = typer.Option(..., "--user", "-u", help="The user."),
    text: str = typer.Option("", "--text", "-t", help="The user's own words about their tastes."),
    tags: list[str] = typer.Option([], "--tag", help="An interest. Repeatable, strongest first."),
    dislikes: list[str] = typer.Option([], "--dislike", help="What to leave out. Repeatable."),
    language: str = typer.Option("", help="BCP 47 code, such as en or zh."),
    region: str = typer.Option("", help="Region, such as an ISO 3166 code."),
    birth_year: int = typer.Option(0, help="Year of birth, for age limits; 0: unknown."),
    personalization: bool = typer.Option(True, help="Whether lists may depend on this user."),
    friends: bool = typer.Option(
        False, help="Whether friends may see what this user uses, and this user what they use."
    ),
    target: str = Target,
) -> None:
    """Write the whole profile; it replaces the former one."""
    profile = UserProfile(
        text=text,
        language_code=language,
        region_code=region,
        interest_tags=[
            *(InterestTag(tag=tag) for tag in tags),
            *(InterestTag(tag=tag, confidence=-1.0) for tag in dislikes),
        ],
        personalization_disabled=not personalization,
        birth_year=birth_year,
        friends_enabled=friends,
    )
    with calling(target) as client:
        client.put_profile(user, profile, timeout_s=10.0)
    say("written")


@app.command("friends")
def friends(
    user: str = typer.Option(..., "--user", "-u", help="The user."),
    friend: list[str] = typer.Option(
        [], "--friend", help="A friend's id, or ID=WEIGHT. Repeatable; none empties the list."
    ),
    target: str = Target,
) -> None:
    """Write the whole list of friends; it replaces the former one."""
    listed = [_friend(given) for given in friend]
    with calling(target) as client:
        client.put_friends(user, listed, timeout_s=10.0)
    say("written")


def _friend(given: str) -> Friend:
    """Return a friend from ID or ID=WEIGHT."""
    user_id, separator, weight = given.rpartition("=")
    try:
        return Friend(user_id=user_id, weight=float(weight)) if separator else Friend(user_id=given)
    except ValueError:
        raise CommandFailed(f"--friend {given}: the weight is no number") from None
