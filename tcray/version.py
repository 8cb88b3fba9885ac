"""The version of tcray."""

__version__ = "0.1.0"
