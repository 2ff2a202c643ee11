"""Starts and stops the parts of a stack on this machine."""
