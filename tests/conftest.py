"""What holds for every test."""

import os

import models as models  # before torch: it settles how its threads wait

# Nothing may ask the network for weights: a test that tries has forgotten its own.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
