"""`tandem demo`: from nothing to ranked lists, on a made-up world."""

import time
from pathlib import Path

import typer
from rich.rule import Rule

from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.user_pb2 import UserProfile
from tandem_cli.console import out, say
from tandem_cli.gateway import calling
from tandem_cli.slate_view import print_slate
from tandem_cli.stack.detached import start_detached, stop_stack
from tandem_cli.stack.ports import free_stack_ports
from tandem_client import TandemClient

NEWCOMER = "demo-newcomer"
SENTENCE = "I like quiet evenings with jazz, good coffee and slow, thoughtful stories."
TIMEOUT_S = 10.0
HISTORY_SHOWN = 8


def demo(
    directory: Path = typer.Option(Path("var/demo"), help="Where the demo keeps its things."),
    items: int = typer.Option(3000, min=50, help="Items in the made-up world."),
    users: int = typer.Option(1500, min=50, help="Users in the made-up world."),
) -> None:
    """Make a world, train, start everything, show ranked lists, stop everything."""
    # pyarrow need not be loaded by the other commands.
    from tandem_cli.demo_world import DemoWorld

    begin = time.monotonic()
    world = DemoWorld(directory, items, users)
    stop_stack(world.state)
    world.prepare()
    user = world.known_user()
    ports = free_stack_ports()
    release = ("--release", str(world.release))
    arguments = ["up", *release, "--state", str(world.state), *ports.options()]
    try:
        start_detached(arguments, world.state, world.directory / "log" / "up.log")
        target, catalog = f"127.0.0.1:{ports.gateway}", f"127.0.0.1:{ports.retrieval}"
        with calling(target, catalog) as client:
            show(client, user)
    finally:
        if stop_stack(world.state):
            say("stopped everything that was started")
    say(f"the whole demo took {time.monotonic() - begin:.0f} s")


def show(client: TandemClient, user: str) -> None:
    """Print the lists of a known user, of a newcomer, and of the known user after three events."""
    _title(f"A known user: {user}")
    _show_history(client, user)
    before = client.recommend(user, timeout_s=TIMEOUT_S)
    print_slate(out, before)

    _title(f"A new user, known by one sentence: “{SENTENCE}”")
    client.put_profile(NEWCOMER, UserProfile(text=SENTENCE), timeout_s=TIMEOUT_S)
    newcomers = client.recommend(NEWCOMER, timeout_s=TIMEOUT_S)
    print_slate(out, newcomers)

    _title(f"{user} again, after three events")
    liked = three_new(client, user, newcomers, before)
    for title in liked.values():
        out.print(f"  {user} likes: {title}", markup=False)
    client.record_events(
        [Event(user_id=user, item_id=item_id, action=event_pb2.ACTION_LIKE) for item_id in liked],
        timeout_s=TIMEOUT_S,
    )
    after = client.recommend(user, timeout_s=TIMEOUT_S)
    print_slate(out, after)
    out.print(difference(before, after), markup=False)


def three_new(client: TandemClient, user: str, *answers: RecommendResponse) -> dict[str, str]:
    """Return id and title of three items of the first answer that are new to the user."""
    known = {
        event.item_id for event in client.get_user_state(user, timeout_s=TIMEOUT_S).user.history
    }
    listed = {item.item_id for item in answers[1].items}
    fresh = [i for i in answers[0].items if i.item_id not in known | listed]
    return {item.item_id: item.title for item in fresh[:3]}


def difference(before: RecommendResponse, after: RecommendResponse) -> str:
    """Say in one line what changed from one list to another."""
    old = [item.item_id for item in before.items]
    new = [item.item_id for item in after.items]
    entered = [item.title for item in after.items if item.item_id not in old]
    moved = sum(old.index(i) != new.index(i) for i in old if i in new)
    if old == new:
        return "The list did not change."
    return f"{len(entered)} of {len(new)} items are new, {moved} moved: {', '.join(entered)}"


def _show_history(client: TandemClient, user: str) -> None:
    state = client.get_user_state(user, timeout_s=TIMEOUT_S).user
    if state.profile.text:
        out.print(f"Their own words: “{state.profile.text}”", markup=False)
    history = state.history
    newest = list(history)[-HISTORY_SHOWN:]
    items = client.get_items({event.item_id for event in newest}, timeout_s=TIMEOUT_S).items
    titles = {item.item_id: item.title for item in items}
    out.print(f"The newest of {len(history)} events:")
    for event in reversed(newest):
        action = event_pb2.Action.Name(event.action).removeprefix("ACTION_").lower()
        day = event.event_time.ToDatetime().date()
        title = titles.get(event.item_id, event.item_id)
        out.print(f"  {day}  {action:<10} {title}", markup=False, highlight=False)


def _title(text: str) -> None:
    out.print()
    out.print(Rule(text, align="left"))
