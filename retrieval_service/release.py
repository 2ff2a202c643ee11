"""A release as retrieval holds it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.release import Release, open_release
from models.tower.config import TowerConfig, load_tower_config
from serving.errors import ReleaseUnusable


@dataclass(frozen=True)
class LoadedRelease:
    """An open release. popular_rows: int32 [items], rows of its item table, most popular first.

    tower: what the user tower reads.
    """

    release: Release
    tower: TowerConfig
    popular_rows: npt.NDArray[np.int32]

    @property
    def encoder_version(self) -> str:
        """The version of the text encoder that made its vectors."""
        return self.release.encoder_version


def read_release(uri: str) -> LoadedRelease:
    """Open a release, hashes checked, and read what requests need. Raises ReleaseUnusable."""
    release = open_release(uri)
    try:
        release.items.row("")  # makes the table of rows by id
        release.word_index.scores("words 词")  # reads index and dictionary
        release.tags.vocabulary.named("")
        if (
            release.tags.vectors.size
            and release.tags.vectors.shape[1] != (release.items.text_vectors.shape[1])
        ):
            raise ReleaseUnusable(f"{uri}: vectors of tags and items differ in width")
        if release.items.text_vectors.shape != (
            len(release.items),
            release.manifest["encoder"]["dimension"],
        ):
            raise ReleaseUnusable(f"{uri}: vectors and item table differ in size")
        if release.cf.item_factors.shape[0] != len(release.items):
            raise ReleaseUnusable(f"{uri}: factors and item table differ in length")
        if release.neighbours.rows.shape[0] != len(release.items):
            raise ReleaseUnusable(f"{uri}: neighbours and item table differ in length")
        tower = load_tower_config(release.tower_directory)
        if release.tower.item_vectors.shape != (len(release.items), tower.width):
            raise ReleaseUnusable(f"{uri}: tower space and item table differ in size")
        media = release.items.media
        if media.widths != release.manifest["spaces"]:
            raise ReleaseUnusable(f"{uri}: spaces differ from those of the manifest")
        if any(len(space) != len(release.items) for space in media.hashes.values()):
            raise ReleaseUnusable(f"{uri}: spaces and item table differ in length")
        popularity = release.popularity
        if popularity.rows.max(initial=-1) >= len(release.items):
            raise ReleaseUnusable(f"{uri}: what is popular where and item table differ")
        if popularity.counting.hour and len(release.rhythms.lifts) != len(release.items):
            raise ReleaseUnusable(f"{uri}: hours and item table differ in length")
        entities = release.entities
        if entities.items != len(release.items) or len(entities.kinds) != entities.starts[-1]:
            raise ReleaseUnusable(f"{uri}: entities and item table differ in length")
        entities.scores(entities.liked(np.zeros(1, np.int32), np.ones(1, np.float32)))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ReleaseUnusable(f"{uri} cannot be read: {error}") from error
    order = np.argsort(-release.items.recent_popularity, kind="stable")
    return LoadedRelease(release, tower, order.astype(np.int32))
