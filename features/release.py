"""A release directory: all that was trained together and is served together."""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest
from pathlib import Path
from typing import cast

from features.cf import CfModel
from features.entities import ItemEntities, read_item_entities
from features.fusion import SourceWeights, named_weights
from features.item_table import ItemTable, read_item_table
from features.manifest import FORMAT, MANIFEST, AgainstEntry, Manifest
from features.mapped import map_tensors
from features.neighbours import Neighbours, read_neighbours
from features.popularity import Counting, Popularity, everywhere
from features.ratings import ItemRatings
from features.rhythms import Rhythms
from features.senses import Senses, named_senses
from features.tags import ItemTags, read_item_tags
from features.tastes import Tastes, read_tastes
from features.tower import TowerSpace
from features.user_view import ReleaseTables
from features.vocabulary import Vocabulary
from features.word_index import WordIndex, read_word_index
from serving.errors import ReleaseUnusable

CANDIDATES_DEFAULT = 200


@dataclass(frozen=True)
class Release:
    """An open release. Arrays are read or mapped when first asked for."""

    directory: Path
    manifest: Manifest

    @property
    def release_id(self) -> str:
        """The release's id, unique among releases."""
        return self.manifest["release_id"]

    @property
    def uri(self) -> str:
        """The absolute path of the directory."""
        return str(self.directory)

    @property
    def repeat(self) -> bool:
        """Whether seen items may be recommended again."""
        return self.manifest["dataset"]["repeat"]

    @property
    def newest_event_ms(self) -> int:
        """When the newest event was that the release has learned from, Unix milliseconds."""
        return self.manifest["dataset"]["newest_event_ms"]

    @property
    def encoder_version(self) -> str:
        """The version of the text encoder."""
        return self.manifest["encoder"]["version"]

    @property
    def worse(self) -> AgainstEntry | None:
        """What the release was worse than in training, beyond doubt; None for nothing."""
        against = self.manifest.get("against")
        return against if against and against["worse"] else None

    @property
    def model_versions(self) -> dict[str, str]:
        """Version by model, the text encoder included."""
        return self.manifest["models"]

    @property
    def source_depth(self) -> int:
        """How many candidates each source gave when the ranker was trained."""
        return self._setting("source_depth")

    @property
    def candidate_count(self) -> int:
        """How many candidates were ranked together when the ranker was trained."""
        return self._setting("candidate_count")

    @cached_property
    def source_weights(self) -> SourceWeights:
        """What the hits of each candidate source count in the fusion of their lists."""
        return named_weights(self.manifest["source_weights"])

    @property
    def friends(self) -> bool:
        """Whether it has learned what it is worth that friends used something."""
        return self.manifest["friends"]

    def _setting(self, name: str) -> int:
        value = self.manifest["settings"].get(name)
        return value if isinstance(value, int) else CANDIDATES_DEFAULT

    @cached_property
    def items(self) -> ItemTable:
        """The item table."""
        return read_item_table(self.directory)

    @cached_property
    def cf(self) -> CfModel:
        """The collaborative-filtering model."""
        tensors = map_tensors(self.directory / "cf.safetensors")
        return CfModel(
            item_factors=tensors["item_factors"],
            regularization=float(tensors["regularization"]),
            alpha=float(tensors["alpha"]),
        )

    @cached_property
    def neighbours(self) -> Neighbours:
        """The item-to-item neighbours."""
        return read_neighbours(self.directory)

    @cached_property
    def tower(self) -> TowerSpace:
        """The space of the user tower."""
        space = map_tensors(self.tower_directory / "space.safetensors")
        return TowerSpace(space["item_vectors"], space["mean"], space["projection"])

    @cached_property
    def ratings(self) -> ItemRatings:
        """How items are rated."""
        tensors = map_tensors(self.directory / "ratings.safetensors")
        mean, scale = float(tensors["mean"]), float(tensors["scale"])
        return ItemRatings(mean, scale, tensors["quality"], tensors["counts"])

    @cached_property
    def rhythms(self) -> Rhythms:
        """When items are wanted."""
        tensors = map_tensors(self.directory / "rhythms.safetensors")
        return Rhythms(tensors["lifts"], tensors["projection"], tensors["base"])

    @cached_property
    def popularity(self) -> Popularity:
        """What is popular where and when; nothing of it in a release made before this was kept."""
        about = self.directory / "popularity.json"
        if not about.is_file():
            return everywhere()
        told = json.loads(about.read_text())
        tensors = map_tensors(self.directory / "popularity.safetensors")
        counting = Counting(**told["counting"])
        return Popularity(**tensors, regions=told["regions"], counting=counting)

    @cached_property
    def word_index(self) -> WordIndex:
        """Items by the words of their texts."""
        return read_word_index(self.directory / "words", len(self.items))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names that the catalogue had for things."""
        return Vocabulary(**json.loads((self.directory / "vocabulary.json").read_text()))

    @cached_property
    def tags(self) -> ItemTags:
        """What items are tagged with."""
        return read_item_tags(self.directory, len(self.items))

    @cached_property
    def tastes(self) -> Tastes:
        """What people of a taste go for."""
        return read_tastes(self.directory)

    @cached_property
    def senses(self) -> Senses:
        """What the release knows of time and place."""
        return named_senses(self.manifest["senses"])

    @cached_property
    def entities(self) -> ItemEntities:
        """What items share."""
        return read_item_entities(self.directory)

    @cached_property
    def tables(self) -> ReleaseTables:
        """The arrays that features are made from."""
        return ReleaseTables(
            self.items,
            self.cf,
            self.neighbours,
            self.tower,
            self.ratings,
            self.rhythms,
            self.popularity,
            self.word_index,
            self.tags,
            self.tastes,
            self.source_weights,
            self.senses,
            self.entities,
        )

    @property
    def tower_directory(self) -> Path:
        """The folder of the user tower, as `models.tower` reads it, with its items' vectors."""
        return self.directory / "tower"

    @cached_property
    def fallback_item_ids(self) -> list[str]:
        """What to show when nothing else can be had, best first."""
        return cast(list[str], json.loads((self.directory / "fallback.json").read_text()))

    @property
    def ranker_directory(self) -> Path:
        """The folder of the language-model ranker, as `models.ranker` reads it."""
        return self.directory / "ranker"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def identify(uri: str | Path) -> tuple[str, dict[str, str]]:
    """Return id and model versions of a release directory, unverified. Raises ReleaseUnusable."""
    release = open_release(uri, verify=False)
    return release.release_id, release.model_versions


def open_release(uri: str | Path, *, verify: bool = True) -> Release:
    """Open a release directory; with `verify`, compare every file with its hash.

    Raises ReleaseUnusable with one line that says what is wrong.
    """
    directory = Path(uri).resolve()
    path = directory / MANIFEST
    if not path.is_file():
        raise ReleaseUnusable(f"{directory} is no release: it has no {MANIFEST}")
    try:
        manifest = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ReleaseUnusable(f"{path} cannot be read: {error}") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ReleaseUnusable(
            f"{path} has format {found}, this version reads format {FORMAT}; train it anew"
        )
    release = Release(directory, cast(Manifest, manifest))
    for name, expected in release.manifest["files"].items() if verify else ():
        file = directory / name
        if not file.is_file():
            raise ReleaseUnusable(f"{file} is missing, though the manifest names it")
        if file_sha256(file) != expected:
            raise ReleaseUnusable(f"{file} does not match its hash in the manifest")
    return release
