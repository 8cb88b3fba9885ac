"""Plates: figures that belong side by side, under one caption that says what they estimate."""
