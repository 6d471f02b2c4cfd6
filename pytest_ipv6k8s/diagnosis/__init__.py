"""Where a packet died: failing paths asked again, while the nodes on the way are watched."""
