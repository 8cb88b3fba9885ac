"""The search: cells, Optuna studies, ASHA's rungs, the queue of packs. `tcray.search.plan` imports nothing heavy."""
