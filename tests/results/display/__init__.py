"""Tests of tcray.results.display."""
