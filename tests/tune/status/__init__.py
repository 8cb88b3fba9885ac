"""Tests of tcray.tune.status."""
