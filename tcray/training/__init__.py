"""One pack: loop, optimiser, metrics, corruptions."""
