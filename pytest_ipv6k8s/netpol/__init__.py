"""Trying NetworkPolicies: on pods of their own, judged by truth tables."""
