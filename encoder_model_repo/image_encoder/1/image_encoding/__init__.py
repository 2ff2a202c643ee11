"""Images to vectors; knows no Triton."""
