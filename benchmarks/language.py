"""Whether a release's language model has a say: only then is its forward pass there to measure."""

from pathlib import Path

from safetensors import safe_open

from models.ranker.ranker import WEIGHTS


def require_language(release: Path) -> None:
    """Raise SystemExit where a release is served without its language model."""
    with safe_open(release / "ranker" / WEIGHTS, framework="pt") as weights:
        if not weights.get_tensor("head.language.weight").any():
            raise SystemExit(
                f"the language model of {release} was found to add nothing, so that it is served "
                "without it and the most of ranking would not be measured; train another release, "
                "for example with --set seed=8, and name it by --release"
            )
