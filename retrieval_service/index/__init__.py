"""The indexes: Milvus collections, derived from the catalogue and rebuilt from it when lost."""
