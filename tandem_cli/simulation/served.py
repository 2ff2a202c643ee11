"""Tandem as somebody who serves, through a stack that runs for it alone."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from features.release import open_release
from sample_world.life import Reaction, Visit
from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Action, Event
from tandem_cli.console import say
from tandem_cli.evaluation.children import run_child
from tandem_cli.failure import CommandFailed
from tandem_client import TandemClient

ROOT = Path(__file__).resolve().parents[2]
SURFACE = "simulation"


@dataclass(frozen=True)
class Retraining:
    """How an arm retrains. every_days: 0 for never. directory: where its releases go. options: of
    `tandem train`.
    """

    every_days: int
    directory: Path
    options: Sequence[str] = ()


class Served:
    """Tandem, through a stack that runs for it alone."""

    def __init__(self, client: TandemClient, at: tuple[str, str], retraining: Retraining) -> None:
        """at: addresses of gateway and catalogue."""
        self._client = client
        self._at = at
        self._retraining = retraining
        self._token = ""

    def list_for(self, visit: Visit, count: int) -> list[str]:
        """Return the ids of items to show, best first."""
        latitude, longitude = visit.place
        context = RequestContext(
            surface=SURFACE, place=Place(latitude=latitude, longitude=longitude)
        )
        context.request_time.FromMilliseconds(visit.time_ms)
        context.utc_offset.FromSeconds(visit.utc_offset_minutes * 60)
        answer = self._client.recommend(
            visit.user_id, context=context, item_count=count, timeout_s=30.0
        )
        if answer.degraded:
            raise CommandFailed(f"an answer was degraded: {answer.skipped_stages}")
        self._token = answer.attribution_token
        return [item.item_id for item in answer.items]

    def hear(self, visit: Visit, reactions: Sequence[Reaction]) -> None:
        """Take note of what became of the list that was given last."""
        events = []
        for reaction in reactions:
            event = Event(
                user_id=visit.user_id,
                item_id=reaction.item_id,
                action=Action.Value(f"ACTION_{reaction.action.upper()}"),
                attribution_token=self._token,
            )
            event.event_time.FromMilliseconds(reaction.time_ms)
            event.utc_offset.FromSeconds(visit.utc_offset_minutes * 60)
            events.append(event)
        self._client.record_events(events, timeout_s=30.0)

    def night(self, day: int) -> str:
        """Retrain on what was logged, if it is time, and activate what is not worse."""
        retraining = self._retraining
        if not retraining.every_days or (day + 1) % retraining.every_days:
            return ""
        out = retraining.directory / f"day-{day + 1}"
        gateway, catalogue = self._at
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "tandem_cli",
            "train",
            "--from-events",
            "--out",
            out,
        ]
        command += ["--target", gateway, "--catalog-target", catalogue, *retraining.options]
        ended = run_child("train", command, out.with_suffix(".log"), ROOT)
        if ended.status != 0:
            raise CommandFailed(f"training ended with status {ended.status}: {ended.lines[-1:]}")
        release = open_release(out)
        if release.worse:
            return f"{release.release_id} is worse than what serves, and stays out"
        for step in self._client.activate_release(str(out.resolve()), timeout_s=900.0):
            if step.activated:
                say(f"  day {day + 1}: {step.release_id} serves")
        return f"{release.release_id} serves, trained in {ended.seconds:.0f} s"
