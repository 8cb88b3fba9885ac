"""Remote clusters: the cluster file, the head node, and sweeps submitted to it."""
