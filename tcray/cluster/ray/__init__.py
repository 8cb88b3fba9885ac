"""Fence around the private API of Ray that clusters need: launcher, schema and validation, node provider."""
