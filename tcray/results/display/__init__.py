"""Shared building blocks of outputs: labels, colors, axes, panels and tables."""
