"""Closes the loop on the sample world: serve, react, record, retrain, day by day."""
