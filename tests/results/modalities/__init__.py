"""Tests of tcray.results.modalities."""
