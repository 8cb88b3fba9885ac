"""LMF, tensor fusion, concatenation and jWAE, written once, in population form."""
