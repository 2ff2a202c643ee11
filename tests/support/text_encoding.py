"""The code of the Triton model, importable without Triton."""

import sys

from tandem_cli.stack.triton import ROOT

sys.path.append(str(ROOT / "encoder_model_repo" / "text_encoder" / "1"))

from text_encoding import batcher, encoder, grouping, tokenisation

__all__ = ["batcher", "encoder", "grouping", "tokenisation"]
