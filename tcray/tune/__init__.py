"""The Ray Tune side: searcher, trainable, resources, progress, recovery."""
