"""What may be concluded from a sweep: pure functions of what its store holds."""
