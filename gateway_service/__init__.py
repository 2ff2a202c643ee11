"""The edge: reads what is known of a user, asks retrieval and ranking, answers, takes feedback."""
