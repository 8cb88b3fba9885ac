"""What the store holds of runs, prepared for the topics."""
