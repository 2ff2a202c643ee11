"""The code of the Triton model, importable without Triton."""

import sys

from tandem_cli.stack.triton import MODEL, ROOT

sys.path.append(str(ROOT / "encoder_model_repo" / MODEL / "1"))

from text_encoding import encoder, grouping, tokenisation

__all__ = ["encoder", "grouping", "tokenisation"]
