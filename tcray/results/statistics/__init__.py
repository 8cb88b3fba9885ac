"""Tests and intervals on plain arrays: what claims rest on, knowing nothing of the store."""
