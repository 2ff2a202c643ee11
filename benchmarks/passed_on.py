"""A made-up data set in which people take up what their friends used, among many films.

Nothing but the friendships says who comes upon what: titles and genres tell nothing, and each film
is used by few. With `noise`, so large a share of the friends in the list are strangers.
"""

import json
from pathlib import Path

import numpy as np

from benchmarks.followed_directors import DAY_S, GENRES, START_S, WORDS

# Of what is used, how much was used by a friend in the days before.
PASSED_ON = 0.5
LATELY_DAYS = 14


def write_passed_on(
    directory: Path,
    *,
    users: int = 400,
    films: int = 1_500,
    friends: int = 8,
    events: int = 25,
    noise: float = 0.25,
    seed: int = 7,
) -> Path:
    """Write the data set; each user has so many friends and events, one about every third day."""
    directory.mkdir(parents=True)
    random = np.random.default_rng(seed)
    true = [random.choice(np.delete(np.arange(users), u), friends, False) for u in range(users)]
    days = np.sort(random.integers(0, 3 * events, (users, events)), axis=1)
    order = sorted((int(days[u, n]), u) for u in range(users) for n in range(events))
    used: list[dict[int, int]] = [{} for _ in range(users)]  # film -> day
    rows = ["user_id,item_id,timestamp,action"]
    for number, (day, user) in enumerate(order):
        of_friends = [
            film
            for friend in true[user].tolist()
            for film, then in used[friend].items()
            if day - LATELY_DAYS <= then < day and film not in used[user]
        ]
        if of_friends and random.random() < PASSED_ON:
            film = int(random.choice(of_friends))
        else:
            film = int(random.integers(films))
        if film in used[user]:
            continue
        used[user][film] = day
        rows.append(f"u{user},f{film},{START_S + day * DAY_S + number % DAY_S},like")
    titles = [" ".join(random.choice(WORDS, 2)) + f" {film}" for film in range(films)]
    items = [f"f{film},{titles[film]},{random.choice(GENRES)}" for film in range(films)]
    social = [
        f"u{user},u{random.integers(users) if random.random() < noise else friend}"
        for user in range(users)
        for friend in true[user].tolist()
    ]
    shares = [f"u{user},true" for user in range(users)]
    tables = {
        "items": ("item_id,title,categories", items),
        "interactions": (rows[0], rows[1:]),
        "users": ("user_id,friends_enabled", shares),
        "social": ("user_id,friend_id", social),
    }
    for name, (header, lines) in tables.items():
        (directory / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    (directory / "dataset.json").write_text(json.dumps({"name": "passed on"}))
    return directory
