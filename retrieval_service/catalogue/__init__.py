"""The catalogue of record, in SQL, with a revision for each change."""
