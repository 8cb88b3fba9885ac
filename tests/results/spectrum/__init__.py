"""Tests of tcray.results.spectrum."""
