"""The conformance checks, and only checks."""
