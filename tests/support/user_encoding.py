"""The code of Triton's user_encoder, importable without Triton."""

import sys

from tandem_cli.stack.triton import ROOT

sys.path.append(str(ROOT / "encoder_model_repo" / "user_encoder" / "1"))

from user_encoding import batcher, tower, towers, users

__all__ = ["batcher", "tower", "towers", "users"]
