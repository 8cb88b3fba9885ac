"""Tests of tcray.results.runs."""
