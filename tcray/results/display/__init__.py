"""Shared display parts: labels, colours, axes, panels and tables."""
