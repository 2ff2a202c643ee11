"""`tandem recommend`: ask a running gateway for a list."""

from datetime import datetime

import typer

from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem_cli.console import out
from tandem_cli.failure import CommandFailed
from tandem_cli.filters import parse_filters
from tandem_cli.gateway import Target, calling
from tandem_cli.messages import as_json
from tandem_cli.slate_view import print_slate


def recommend(
    user: str = typer.Option("", "--user", "-u", help="The user. May be unknown, or left out."),
    text: str = typer.Option("", "--text", "-t", help="The user's own words for this list."),
    text_weight: float = typer.Option(
        1.0, min=0.0, max=10.0, help="How much words count beside the user's past."
    ),
    count: int = typer.Option(10, "-k", "--count", help="How many items, 1 to 500."),
    seed_item: str = typer.Option("", help="The item that the list is to follow."),
    time: str = typer.Option("", help="The time to take as now, ISO 8601. Default: now."),
    lat: float | None = typer.Option(None, help="Latitude of the user, degrees."),
    lon: float | None = typer.Option(None, help="Longitude of the user, degrees."),
    filters: list[str] = typer.Option(
        [], "--filter", help="Condition such as categories=Drama or price<=20. Repeatable."
    ),
    open_only: bool = typer.Option(False, "--open", help="Only what is open at that time."),
    explain: bool = typer.Option(False, help="Show the parts of each item's logit."),
    json: bool = typer.Option(False, "--json", help="Print the whole answer as JSON."),
    timeout_s: float = typer.Option(10.0, help="Deadline in seconds."),
    target: str = Target,
) -> None:
    """Show a ranked list for a user, for a text, or for both."""
    context = request_context(seed_item, time, lat, lon)
    with calling(target) as client:
        response = client.recommend(
            user,
            item_count=count,
            text=text,
            text_weight=text_weight,
            context=context,
            filter=parse_filters(filters),
            open_only=open_only,
            timeout_s=timeout_s,
        )
    if json:
        typer.echo(as_json(response))
    else:
        print_slate(out, response, explain=explain)


def request_context(
    seed_item: str, time: str, lat: float | None, lon: float | None
) -> RequestContext:
    """Return the context that the options describe."""
    context = RequestContext(surface="cli", seed_item_id=seed_item)
    if (lat is None) != (lon is None):
        raise CommandFailed("--lat and --lon go together")
    if lat is not None and lon is not None:
        context.place.CopyFrom(Place(latitude=lat, longitude=lon))
    if time:
        moment = parse_time(time)
        context.request_time.FromDatetime(moment)
        offset = moment.utcoffset()
        if offset is not None:
            context.utc_offset.FromTimedelta(offset)
    return context


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed(
            f"{text!r} is no ISO 8601 time, such as 2026-05-01T20:15+02:00"
        ) from None
