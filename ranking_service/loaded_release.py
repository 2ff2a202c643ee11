"""A release as the ranking service holds it."""

from dataclasses import dataclass

from features.release import Release, open_release
from features.user_view import ReleaseTables
from models.ranker.ranker import Ranker, load_ranker
from models.ranker.text import CandidateTokenizer, PrefixTokenizer


@dataclass(frozen=True)
class LoadedRelease:
    """Item tables, ranker and tokenizers of one release."""

    release: Release
    tables: ReleaseTables
    ranker: Ranker
    tokenizer: PrefixTokenizer
    candidate_tokenizer: CandidateTokenizer


def read_release(uri: str) -> LoadedRelease:
    """Read a release directory into memory, hashes checked. Raises ReleaseUnusable."""
    release = open_release(uri)
    ranker = load_ranker(release.ranker_directory)
    return LoadedRelease(
        release,
        release.tables,
        ranker,
        PrefixTokenizer(release.ranker_directory, ranker.config.max_text_tokens),
        CandidateTokenizer(release.ranker_directory, ranker.config.candidate_tokens),
    )
