"""What can be concluded from a sweep: pure functions of its store, one folder per topic."""
