"""Tests of tcray.results.search."""
