"""A recommended list, for people."""

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.fusion import source_name
from tandem.v1 import stage_pb2
from tandem.v1.candidate_pb2 import RankedItem
from tandem.v1.recommender_service_pb2 import RecommendResponse

REASONS_SHOWN = 2
TAGS_SHOWN = 8
CONTRIBUTIONS_SHOWN = 4


def slate_view(response: RecommendResponse, *, explain: bool = False) -> RenderableType:
    """Return a table of the items, and below it what else the answer says of itself.

    Shift is by how many places variety moved an item up (+) or down (-); shown where it moved any.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("Title", ratio=4, overflow="fold")
    table.add_column("Score", justify="right", no_wrap=True)
    if moved := any(item.selector_shift for item in response.items):
        table.add_column("Shift", justify="right", no_wrap=True)
    table.add_column("Sources", overflow="fold", ratio=2)
    table.add_column("Reasons", overflow="fold", ratio=5)
    if explain:
        table.add_column("Logit parts", overflow="fold", ratio=4)
    for number, item in enumerate(response.items, 1):
        cells = [
            Text(str(number)),
            Text(item.title or item.item_id),
            Text(f"{item.score:.4f}"),
            *([Text(f"{item.selector_shift:+d}" if item.selector_shift else "")] if moved else []),
            Text(sources_of(item)),
            Text("\n".join(reason.text for reason in item.reasons[:REASONS_SHOWN])),
        ]
        if explain:
            cells.append(Text(parts_of(item)))
        table.add_row(*cells)
    return Group(table, Text("\n".join(_notes(response))))


def sources_of(item: RankedItem) -> str:
    """Return the names of the sources that found an item, with the rank in each."""
    return ", ".join(
        f"{source_name(hit.source)} {hit.rank}" if hit.rank else source_name(hit.source)
        for hit in item.hits
    )


def print_slate(console: Console, response: RecommendResponse, *, explain: bool = False) -> None:
    """Print the list on a console."""
    console.print(slate_view(response, explain=explain))


def parts_of(item: RankedItem) -> str:
    """Return the greatest parts of an item's logit, a line for each."""
    parts = item.contributions[:CONTRIBUTIONS_SHOWN]
    return "\n".join(f"{part.name} {part.logit:+.2f}" for part in parts)


def _notes(response: RecommendResponse) -> list[str]:
    notes = []
    if not response.items:
        notes.append("The list is empty.")
    if response.degraded:
        notes.append("DEGRADED: a part was down or late; the list was made without it.")
    if wanted := [tag for tag in response.interest_tags if tag.confidence > 0]:
        told = (f"{tag.tag} ({tag.confidence:.0%})" for tag in wanted[:TAGS_SHOWN])
        notes.append(f"your words were understood as: {', '.join(told)}")
    if unwanted := [tag.tag for tag in response.interest_tags if tag.confidence < 0]:
        notes.append(f"left out, as you asked: {', '.join(unwanted)}")
    for skipped in response.skipped_stages:
        stage = stage_pb2.Stage.Name(skipped.stage).removeprefix("STAGE_").lower()
        cause = stage_pb2.SkipCause.Name(skipped.cause).removeprefix("SKIP_CAUSE_").lower()
        detail = f": {skipped.detail}" if skipped.detail else ""
        notes.append(f"without {stage} ({cause}){detail}")
    timings = ", ".join(
        f"{stage_pb2.Stage.Name(t.stage).removeprefix('STAGE_').lower()} "
        f"{t.elapsed.ToMicroseconds() / 1000:.0f} ms"
        for t in response.stage_timings
    )
    notes.append(f"release {response.release_id or 'none'}; {timings}")
    return notes
