"""Readers of published datasets: one module per source, and the file formats that they share."""
