"""A release as the ranking service holds it."""

import os
from dataclasses import dataclass

from features.release import Release, open_release
from features.user_view import ReleaseTables
from models.ranker.ranker import Ranker, load_ranker
from models.ranker.text import CandidateTokenizer, PrefixTokenizer
from ranking_service.engine import Engine, EngineName, engine_of


@dataclass(frozen=True)
class LoadedRelease:
    """Item tables, ranker, what runs it, and tokenizers of one release."""

    release: Release
    tables: ReleaseTables
    ranker: Ranker
    engine: Engine
    tokenizer: PrefixTokenizer
    candidate_tokenizer: CandidateTokenizer


def read_release(
    uri: str,
    engine: EngineName = "auto",
    threads: int = os.cpu_count() or 1,
    device: str = "cpu",
) -> LoadedRelease:
    """Read a release directory into memory, hashes checked. Raises ReleaseUnusable.

    engine: what runs the language model, on which device. threads: of a forward pass.
    """
    release = open_release(uri)
    directory = release.ranker_directory
    ranker = load_ranker(directory)
    return LoadedRelease(
        release,
        release.tables,
        ranker,
        engine_of(ranker, directory, engine, threads, device),
        PrefixTokenizer(directory, ranker.config.max_text_tokens),
        CandidateTokenizer(directory, ranker.config.candidate_tokens),
    )
