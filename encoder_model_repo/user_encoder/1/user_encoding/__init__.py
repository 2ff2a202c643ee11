"""From histories to user vectors: releases side by side, padding, an engine. Knows no Triton."""
