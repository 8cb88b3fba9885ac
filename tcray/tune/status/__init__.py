"""The status of a running sweep: what the driver reports, and how a terminal displays it."""
