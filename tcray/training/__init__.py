"""The pack engine: training loop, optimizer, losses, metrics, perturbations, baselines."""
