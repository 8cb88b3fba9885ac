"""The trial store: every run of every sweep, in append-only Arrow tables."""
