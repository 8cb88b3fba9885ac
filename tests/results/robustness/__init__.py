"""Tests of tcray.results.robustness."""
