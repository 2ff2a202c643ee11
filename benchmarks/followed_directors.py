"""A made-up data set in which people follow directors, whom only `relations` names.

Titles and categories say nothing of a film's director. Films come out one after the other, so that
the newest have few events or none before somebody watches them.
"""

import json
from pathlib import Path

import numpy as np

DAY_S = 86_400
START_S = 1_600_000_000
GENRES = ("drama", "comedy", "thriller", "western")
WORDS = ("red", "quiet", "last", "long", "silver", "open", "lost", "green", "third", "far")
# Of what is watched, how much is by a director whom one follows.
FOLLOWED = 0.7
FOLLOWS = 4


def write_followed_directors(
    directory: Path,
    *,
    users: int = 300,
    directors: int = 150,
    films: int = 8,
    events: int = 25,
    seed: int = 7,
) -> Path:
    """Write the data set; films: of each director. Each user has so many events, one a day."""
    directory.mkdir(parents=True)
    random = np.random.default_rng(seed)
    count = directors * films
    by = np.arange(count) % directors
    out_on_day = np.sort(random.integers(0, events, count))
    items = ["item_id,title,categories,created_at"]
    relations = ["head,relation,tail"]
    for film in range(count):
        title = " ".join(random.choice(WORDS, 2)) + f" {film}"
        created = START_S + int(out_on_day[film] - 1) * DAY_S
        items.append(f"f{film},{title},{random.choice(GENRES)},{created}")
        relations.append(f"f{film},director,Director {by[film]}")
    relations += [f"Director {one},taught_at,School {one // 3}" for one in range(directors)]
    rows = ["user_id,item_id,timestamp,action"]
    for user in range(users):
        follows = random.choice(directors, FOLLOWS, replace=False)
        watched: set[int] = set()
        for day in range(events):
            due = out_on_day <= day
            if random.random() < FOLLOWED:
                due &= by == random.choice(follows)
            choice = [int(film) for film in np.flatnonzero(due) if film not in watched]
            if not choice:
                continue
            # The newest come first.
            film = choice[-1 - min(int(random.exponential(3.0)), len(choice) - 1)]
            watched.add(film)
            rows.append(f"u{user},f{film},{START_S + day * DAY_S + user},like")
    (directory / "items.csv").write_text("\n".join(items) + "\n")
    (directory / "relations.csv").write_text("\n".join(relations) + "\n")
    (directory / "interactions.csv").write_text("\n".join(rows) + "\n")
    (directory / "dataset.json").write_text(json.dumps({"name": "followed directors"}))
    return directory
