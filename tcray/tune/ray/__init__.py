"""The Ray cluster that a sweep runs on; the only part of `tune` that uses Ray's private API."""
