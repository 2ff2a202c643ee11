"""The user tower: a causal transformer from a history to a vector in the items' space."""
