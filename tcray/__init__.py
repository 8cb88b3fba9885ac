"""Distributed hyperparameter sweeps for low-rank multimodal fusion."""

__version__ = "0.1.0"
