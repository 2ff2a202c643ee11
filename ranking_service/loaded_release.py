"""A release as the ranking service holds it."""

from dataclasses import dataclass

from features.release import Release, open_release
from features.release import ReleaseUnusable as Unusable
from features.user_view import ReleaseTables
from models.ranker.ranker import Ranker, load_ranker
from models.ranker.text import CandidateTokenizer, PrefixTokenizer
from serving.errors import ReleaseUnusable


@dataclass(frozen=True)
class LoadedRelease:
    """Item tables, ranker and tokenizers of one release."""

    release: Release
    tables: ReleaseTables
    ranker: Ranker
    tokenizer: PrefixTokenizer
    candidate_tokenizer: CandidateTokenizer


def identify(uri: str) -> tuple[str, dict[str, str]]:
    """Return id and model versions of a release directory. Raises ReleaseUnusable."""
    try:
        release = open_release(uri, verify=False)
    except Unusable as error:
        raise ReleaseUnusable(str(error)) from error
    return release.release_id, release.model_versions


def read_release(uri: str) -> LoadedRelease:
    """Read a release directory into memory, hashes checked. Raises ReleaseUnusable."""
    try:
        release = open_release(uri)
    except Unusable as error:
        raise ReleaseUnusable(str(error)) from error
    ranker = load_ranker(release.ranker_directory)
    return LoadedRelease(
        release,
        release.tables,
        ranker,
        PrefixTokenizer(release.ranker_directory, ranker.config.max_text_tokens),
        CandidateTokenizer(release.ranker_directory, ranker.config.candidate_tokens),
    )
