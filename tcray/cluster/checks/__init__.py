"""What may be wrong with a cluster file: a module each for one side of it, and each problem at its place."""
