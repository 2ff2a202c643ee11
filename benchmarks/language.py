"""Whether a release's language model has a say: only then is its forward pass there to measure."""

from safetensors import safe_open

from features.release import Release
from models.ranker.ranker import WEIGHTS


def require_language(release: Release) -> None:
    """Raise SystemExit where a release is served without its language model."""
    with safe_open(release.ranker_directory / WEIGHTS, framework="pt") as weights:
        if not weights.get_tensor("head.language.weight").any():
            raise SystemExit(
                f"the language model of {release.uri} was found to add nothing, so that it is "
                "served without it and the most of ranking would not be measured; train another "
                "release, for example with --set seed=8, and name it by --release"
            )
