"""Tests of the Python front door."""
