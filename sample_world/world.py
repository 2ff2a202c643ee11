"""Writes a sample world."""

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sample_world.behaviour import EventRow, act
from sample_world.catalogue import make_catalogue
from sample_world.domains import ALL
from sample_world.friends import FriendRow, make_friends, who_shares
from sample_world.item_writer import ItemRow
from sample_world.people import UserRow, category_traits, make_people
from sample_world.preference import DAY_MS, Preference
from sample_world.truth import Truth
from sample_world.truth_files import ABOUT, FOLDER, write_truth

MIXED = "mixed"
DOMAINS = (MIXED, *(domain.name for domain in ALL))
MOST_ITEMS = 1_000_000
MOST_USERS = 1_000_000
# Monday, 1 September 2025, and 26 weeks later.
START_MS = 1_756_684_800_000
END_MS = START_MS + 182 * DAY_MS


class WorldError(Exception):
    """A world cannot be written as asked. Nothing was written."""


def write_world(
    out: Path, *, domain: str, items: int, users: int, seed: int, friends: bool = False
) -> None:
    """Write a world as a data set directory, with its truth in `truth/`.

    The same arguments give the same bytes. friends: whether it tells who knows whom; all else is
    the same with it. `out` may be absent, empty, or an older world, which is replaced whole. Seen
    items may return in home and music, where people come back to what they know; not in mixed.
    Raises WorldError for anything else in `out`, or a bad argument.
    """
    _check(out, domain, items, users, seed)
    chosen = [d for d in ALL if domain in (MIXED, d.name)]
    repeat = domain != MIXED and chosen[0].repeat
    rng = np.random.default_rng([seed, DOMAINS.index(domain), items, users])
    catalogue = make_catalogue(rng, chosen, items, START_MS, END_MS)
    categories = category_traits(rng, chosen)
    people = make_people(rng, chosen, categories, users, START_MS, END_MS)
    preference = Preference(catalogue.traits, categories, people.traits)
    events: list[EventRow] = []
    for user in np.flatnonzero(~people.new).tolist():
        events += act(rng, chosen, preference, user, START_MS, END_MS, repeat=repeat)
    events.sort(key=lambda event: event.timestamp)
    item_rows = [catalogue.rows[i] for i in rng.permutation(items)]
    truth = Truth(domain, seed, repeat, START_MS, END_MS, preference)
    openings = [row.opening_hours for row in catalogue.rows]

    unfinished = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        unfinished.mkdir(parents=True)
        _write(unfinished / "interactions.csv", EventRow, events)
        _write(unfinished / "items.csv", ItemRow, item_rows)
        if friends:
            # Drawn apart, so that nothing else changes.
            of_friends = np.random.default_rng([seed, DOMAINS.index(domain), items, users, 1])
            shares = who_shares(of_friends, users)
            _write(unfinished / "users.csv", UserRow, people.rows, friends_enabled=shares.tolist())
            _write(unfinished / "social.csv", FriendRow, make_friends(of_friends, people.traits))
        else:
            _write(unfinished / "users.csv", UserRow, people.rows)
        about = {
            "name": f"sample-{domain}",
            "repeat": repeat,
            "license": "CC0-1.0",
            "source": f"tandem sample --domain {domain} --items {items} --users {users} "
            f"--seed {seed}" + " --friends" * friends,
        }
        text = json.dumps(about, indent=2) + "\n"
        (unfinished / "dataset.json").write_text(text, encoding="utf-8")
        write_truth(truth, openings, unfinished / FOLDER)
        _swap(unfinished, out)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise WorldError(f"cannot write {out}: {error.strerror}") from error


def _check(out: Path, domain: str, items: int, users: int, seed: int) -> None:
    if domain not in DOMAINS:
        raise WorldError(f"domain {domain!r} is none of {', '.join(DOMAINS)}")
    for name, value, most in (("items", items, MOST_ITEMS), ("users", users, MOST_USERS)):
        if not 1 <= value <= most:
            raise WorldError(f"{name} is {value}; it must be from 1 to {most:,}")
    if seed < 0:
        raise WorldError(f"seed is {seed}; it must not be negative")
    if out.is_dir():
        if any(out.iterdir()) and not (out / FOLDER / ABOUT).is_file():
            raise WorldError(f"{out} holds something that is not a sample world; it was left alone")
    elif out.exists():
        raise WorldError(f"{out} is not a directory; it was left alone")


def _write(path: Path, kind: type[Any], rows: Sequence[Any], **more: Sequence[Any]) -> None:
    names = [field.name for field in dataclasses.fields(kind)]
    # Columns of objects keep whole numbers whole next to empty cells.
    columns = {
        name: pd.Series([getattr(row, name) for row in rows], dtype=object) for name in names
    }
    columns |= {name: pd.Series(list(values)) for name, values in more.items()}
    pd.DataFrame(columns).to_csv(path, index=False, lineterminator="\n")


def _swap(unfinished: Path, out: Path) -> None:
    """Put the finished directory in the place of an older one, if there is one."""
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    if out.exists():
        out.rename(old)
    unfinished.rename(out)
    shutil.rmtree(old, ignore_errors=True)
