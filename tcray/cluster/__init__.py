"""The cluster that is not here: its file, its head node, and the sweeps that are sent to it."""
