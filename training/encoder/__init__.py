"""Continued pre-training of the text encoder on a catalogue's own texts."""
