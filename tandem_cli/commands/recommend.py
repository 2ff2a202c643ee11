"""`tandem recommend`: ask a running gateway for a list."""

from datetime import datetime

import typer

from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.variety_pb2 import Pin, Variety
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
    diversity: float | None = typer.Option(
        None, min=0.0, max=1.0, help="From 0, by value alone, to 1. Default: the ranking service's."
    ),
    category_max: int = typer.Option(0, help="At most so many items of a category. 0: no limit."),
    brand_max: int = typer.Option(0, help="At most so many items of a brand. 0: no limit."),
    fresh_share: float = typer.Option(
        0.0, min=0.0, max=1.0, help="Least share of items created in the last 30 days."
    ),
    near_duplicates: bool = typer.Option(False, help="Keep near duplicates where they stand."),
    pins: list[str] = typer.Option(
        [], "--pin", help="ITEM@POSITION: an item that must stand there, from 1. Repeatable."
    ),
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
            variety=Variety(
                diversity=diversity,
                category_max=category_max,
                brand_max=brand_max,
                fresh_share=fresh_share,
                keep_near_duplicates=near_duplicates,
            ),
            pins=[parse_pin(pin) for pin in pins],
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


def parse_pin(text: str) -> Pin:
    """Read an item and its place: the last @ divides them."""
    item_id, _, position = text.rpartition("@")
    if not item_id or not position.isdecimal():
        raise CommandFailed(f"--pin {text!r}: write it as ITEM@POSITION, such as 318@1")
    return Pin(item_id=item_id, position=int(position))


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed(
            f"{text!r} is no ISO 8601 time, such as 2026-05-01T20:15+02:00"
        ) from None
