"""`tandem explain`: why an item is, or is not, in a list."""

import typer

from tandem.v1.recommender_service_pb2 import ExplainResponse, RecommendRequest
from tandem.v1.stage_pb2 import Stage
from tandem_cli.commands.recommend import request_context
from tandem_cli.console import out
from tandem_cli.filters import parse_filters
from tandem_cli.gateway import Target, calling
from tandem_cli.messages import as_json
from tandem_cli.slate_view import parts_of, sources_of


def explain(
    item: str = typer.Option(..., "--item", "-i", help="The item."),
    user: str = typer.Option("", "--user", "-u", help="The user. May be unknown, or left out."),
    text: str = typer.Option("", "--text", "-t", help="The user's own words for this list."),
    count: int = typer.Option(10, "-k", "--count", help="How many items, 1 to 500."),
    seed_item: str = typer.Option("", help="The item that the list is to follow."),
    time: str = typer.Option("", help="The time to take as now, ISO 8601. Default: now."),
    lat: float | None = typer.Option(None, help="Latitude of the user, degrees."),
    lon: float | None = typer.Option(None, help="Longitude of the user, degrees."),
    filters: list[str] = typer.Option(
        [], "--filter", help="Condition such as categories=Drama or price<=20. Repeatable."
    ),
    json: bool = typer.Option(False, "--json", help="Print the whole answer as JSON."),
    timeout_s: float = typer.Option(10.0, help="Deadline in seconds."),
    target: str = Target,
) -> None:
    """Tell what became of an item in a list: shown where, or dropped by which stage."""
    asked = RecommendRequest(
        user_id=user,
        text=text,
        item_count=count,
        context=request_context(seed_item, time, lat, lon),
        filter=parse_filters(filters),
    )
    with calling(target) as client:
        told = client.explain(asked, item, timeout_s=timeout_s)
    if json:
        typer.echo(as_json(told))
        return
    for line in lines_of(told):
        out.print(line, markup=False)


def lines_of(told: ExplainResponse) -> list[str]:
    """Return an explanation as lines for people."""
    lines = [told.detail]
    if told.stage:
        lines.append(f"dropped by: {Stage.Name(told.stage).removeprefix('STAGE_').lower()}")
    if told.item.hits:
        lines.append(f"found by: {sources_of(told.item)}")
    if told.item.contributions:
        lines.append(f"logit parts: {parts_of(told.item)}")
    lines += [reason.text for reason in told.item.reasons if reason.text]
    return lines
