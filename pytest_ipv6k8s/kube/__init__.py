"""Talking to the API server; the only importer of ``kubernetes``."""
