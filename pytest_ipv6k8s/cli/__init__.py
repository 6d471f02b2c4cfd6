"""The command ``ipv6k8s``."""
