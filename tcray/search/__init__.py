"""What to try next: cells, Optuna studies, rungs, the queue of packs. `tcray.search.plan` loads nothing heavy."""
