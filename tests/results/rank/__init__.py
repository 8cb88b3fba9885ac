"""Tests of tcray.results.rank."""
