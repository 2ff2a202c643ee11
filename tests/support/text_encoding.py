"""The code of the Triton model, importable without Triton."""

import sys

from tandem_cli.stack.triton import MODEL, ROOT

sys.path.append(str(ROOT / "encoder_model_repo" / MODEL / "1"))

from text_encoding import batcher, encoder, grouping, tokenisation

__all__ = ["batcher", "encoder", "grouping", "tokenisation"]
