"""Ray Tune side of a sweep: searcher, trainable, worker pool, placement, status."""
