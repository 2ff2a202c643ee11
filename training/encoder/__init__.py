"""Training of the text encoder: on a catalogue's own texts, and on what people did."""
