"""Robustness to perturbed inputs."""
