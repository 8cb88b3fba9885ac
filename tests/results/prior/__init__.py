"""Tests of tcray.results.prior."""
