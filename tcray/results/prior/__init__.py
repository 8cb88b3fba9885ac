"""The shared prior: jWAE compared with LMF at each rank."""
