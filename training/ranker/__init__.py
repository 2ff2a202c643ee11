"""Fine-tuning the language-model ranker."""
