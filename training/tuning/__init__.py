"""The search for settings of training, on validation alone."""
