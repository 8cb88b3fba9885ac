"""The search phase: how it went, which hyperparameters mattered, how optimistic it was."""
