"""Filters on items: checked, compiled for Milvus, and evaluated in memory with the same meaning."""
