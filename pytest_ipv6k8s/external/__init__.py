"""What lies beyond the cluster: targets, declared by an operator or made by :mod:`..testbed`."""
