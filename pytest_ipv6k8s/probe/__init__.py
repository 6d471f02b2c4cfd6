"""Putting probes on a cluster, and asking them."""
