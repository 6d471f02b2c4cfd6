"""A simulated Internet beside a cluster whose nodes are containers on this machine."""
