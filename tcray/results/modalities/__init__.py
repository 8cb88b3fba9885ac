"""What each modality contributes."""
