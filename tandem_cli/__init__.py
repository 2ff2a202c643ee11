"""The command `tandem`: one machine's whole stack, training, and calls to a running gateway."""
