"""The ranking: a table per dataset, one row per cell, above the baselines."""
