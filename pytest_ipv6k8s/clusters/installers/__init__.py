"""One CNI installer a module; its name is the value of ``--ipv6k8s-cni``."""
