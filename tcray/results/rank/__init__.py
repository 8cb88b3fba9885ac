"""Metrics against ordered factors: rank, dropout, prior strength."""
