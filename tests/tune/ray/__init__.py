"""Tests of tcray.tune.ray."""
