"""The contribution of each modality."""
