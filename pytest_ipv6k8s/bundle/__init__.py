"""Failure bundles: what somebody needs who was not there when checks failed."""
