"""The code of the Triton model, importable without Triton."""

import sys

from tandem_cli.stack.triton import ROOT

sys.path.append(str(ROOT / "encoder_model_repo" / "text_encoder" / "1"))

from text_encoding import encoder, engine, grouping, pool, tokenisation

__all__ = ["encoder", "engine", "grouping", "pool", "tokenisation"]
