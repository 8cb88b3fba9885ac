"""The spectrum of the fusion: effective rank and energy of its factors."""
