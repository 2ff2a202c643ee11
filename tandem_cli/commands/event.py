"""`tandem event`: record one event of a user."""

from datetime import timedelta

import typer

from tandem.v1 import event_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.event_pb2 import Event
from tandem_cli.commands.recommend import parse_time
from tandem_cli.console import say
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import Target, calling

ACTIONS = [
    name.removeprefix("ACTION_").lower() for name in event_pb2.Action.DESCRIPTOR.values_by_name
][1:]


def event(
    user: str = typer.Option(..., "--user", "-u", help="The user."),
    item: str = typer.Option(..., "--item", "-i", help="The item."),
    action: str = typer.Option("view", "--action", "-a", help=f"One of {', '.join(ACTIONS)}."),
    rating: float | None = typer.Option(None, help="The rating, with the action rate."),
    dwell_s: float | None = typer.Option(None, help="How long the item was consumed, seconds."),
    time: str = typer.Option("", help="When, ISO 8601. Default: now."),
    text: str = typer.Option("", help="The user's words about the item."),
    lat: float | None = typer.Option(None, help="Latitude of the user, degrees."),
    lon: float | None = typer.Option(None, help="Longitude of the user, degrees."),
    token: str = typer.Option("", help="The attribution token of the list that showed the item."),
    target: str = Target,
) -> None:
    """Record what a user did; the next list takes it into account."""
    if action not in ACTIONS:
        raise CommandFailed(f"--action {action}: is none of {', '.join(ACTIONS)}")
    if (lat is None) != (lon is None):
        raise CommandFailed("--lat and --lon go together")
    done = Event(
        user_id=user,
        item_id=item,
        action=event_pb2.Action.Value(f"ACTION_{action.upper()}"),
        rating=rating,
        text=text,
        attribution_token=token,
    )
    if dwell_s is not None:
        done.dwell.FromTimedelta(timedelta(seconds=dwell_s))
    if lat is not None and lon is not None:
        done.place.CopyFrom(Place(latitude=lat, longitude=lon))
    if time:
        done.event_time.FromDatetime(parse_time(time))
    with calling(target) as client:
        response = client.record_events([done], timeout_s=10.0)
    say("recorded" if response.recorded_count else "known already; nothing changed")
