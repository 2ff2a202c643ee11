"""From texts to vectors: tokens, length-similar groups, an engine. Knows nothing of Triton."""
