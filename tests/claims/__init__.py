"""Tests of tcray.claims."""
