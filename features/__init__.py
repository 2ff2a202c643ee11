"""Events and items to arrays: shared by training and serving, so that both see the same numbers."""
