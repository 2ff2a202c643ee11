"""The language-model ranker: a pretrained LM over one token per event and per candidate."""
