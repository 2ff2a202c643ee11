"""`tandem user`: what is stored of a user, given out or erased."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from tandem.v1.user_service_pb2 import ExportUserResponse
from tandem_cli.console import say
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import Target, calling

app = typer.Typer(help="Give out or erase what is stored of a user.", no_args_is_help=True)
User = typer.Argument(..., metavar="ID", help="The user.")
EXPORT_TIMEOUT_S = 600.0


@app.command("export")
def export(
    user: str = User,
    out: Path = typer.Option(..., "--out", "-o", help="File to write, as JSON lines."),
    target: str = Target,
) -> None:
    """Write a user's profile, friends, events and impressions to a file, one a line."""
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    count = 0
    try:
        # What it holds is for nobody else on this machine.
        draft.touch(mode=0o600)
        with draft.open("w", encoding="utf-8") as file, calling(target) as client:
            for batch in client.export_user(user, timeout_s=EXPORT_TIMEOUT_S):
                for entry in _entries(batch):
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                    count += 1
        draft.replace(out)
    except OSError as error:
        raise CommandFailed(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
    say(f"{count} lines written to {out}" if count else f"nothing is stored; {out} is empty")


@app.command("erase")
def erase(user: str = User, target: str = Target) -> None:
    """Remove a user's profile, events, impressions and friendships for good."""
    with calling(target) as client:
        erased = client.erase_user(user, timeout_s=30.0)
    told = f"{erased.erased_event_count} events, {erased.erased_impression_count} impressions"
    if erased.erased_friend_count:
        told += f", {erased.erased_friend_count} friendships"
    say(f"erased {told}")


def _entries(batch: ExportUserResponse) -> Iterator[dict[str, object]]:
    """Yield a batch as lines: each has the key profile, friend, event or impression."""
    if batch.HasField("profile"):
        yield {"profile": _as_dict(batch.profile)}
    for friend in batch.friends:
        yield {"friend": _as_dict(friend)}
    for logged in batch.events:
        yield _as_dict(logged)
    for impression in batch.impressions:
        yield {"impression": _as_dict(impression)}


def _as_dict(message: Message) -> dict[str, object]:
    return MessageToDict(message, preserving_proto_field_name=True)
