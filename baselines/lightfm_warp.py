"""LightFM: matrix factorisation learned with the WARP ranking loss.

Kula, "Metadata Embeddings for User and Item Cold-start Recommendations", CBRecSys 2015; WARP from
Weston, Bengio and Usunier, "WSABIE", IJCAI 2011.
"""

from collections.abc import Iterator

import numpy as np
from lightfm import LightFM

from baselines.ranking import Scorer, with_unknown_last
from baselines.trial import Bool, Events, Float32, Requests, Trial
from baselines.validation import Epochs, Settings, after, choose_epochs

GRID: list[Settings] = [
    {"factors": 128, "learning_rate": 0.05, "l2": 0.0},
    {"factors": 64, "learning_rate": 0.05, "l2": 0.0},
    {"factors": 128, "learning_rate": 0.05, "l2": 1e-5},
    {"factors": 64, "learning_rate": 0.05, "l2": 1e-5},
    {"factors": 32, "learning_rate": 0.05, "l2": 0.0},
    {"factors": 128, "learning_rate": 0.02, "l2": 0.0},
]
EPOCHS = Epochs(step=5, most=60, patience=4)


def choose(trial: Trial, seed: int, budget: int | None) -> tuple[Settings, list[Settings]]:
    """Choose settings and epochs on validation."""
    return choose_epochs(train, GRID[:budget], EPOCHS, trial, seed)


def fit(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Train for settings["epochs"]."""
    return after(train(events, trial, settings, seed), EPOCHS.step, settings["epochs"])


def train(events: Events, trial: Trial, settings: Settings, seed: int) -> Iterator[Scorer]:
    """Train on; yield a scorer after every EPOCHS.step epochs.

    A user that the fit knows has a vector of its own. Any other is the mean of its history's items,
    stretched to the usual length of a user's vector.
    """
    binary = events.matrix(trial.users, trial.items)
    binary.data[:] = 1.0
    binary = binary.tocoo()
    known = events.popularity(trial.items) > 0
    known_user = np.bincount(events.user, minlength=trial.users) > 0
    model = LightFM(
        no_components=settings["factors"],
        learning_rate=settings["learning_rate"],
        user_alpha=settings["l2"],
        item_alpha=settings["l2"],
        loss="warp",
        random_state=seed,
    )
    while True:
        # One thread: with more, the order of updates and so the outcome is left to chance.
        model.fit_partial(binary, epochs=EPOCHS.step, num_threads=1)
        users = model.user_embeddings.copy()
        items = np.where(known[:, None], model.item_embeddings, 0.0)
        yield _scorer(users, items, model.item_biases.copy(), known_user, known)


def _scorer(
    users: Float32, items: Float32, biases: Float32, known_user: Bool, known: Bool
) -> Scorer:
    length = np.median(np.linalg.norm(users[known_user], axis=1))

    def score(requests: Requests) -> Float32:
        mean = requests.matrix(len(items)) @ items
        mean *= length / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        vectors = np.where(known_user[requests.user, None], users[requests.user], mean)
        return with_unknown_last((vectors @ items.T + biases).astype(np.float32), known)

    return score
