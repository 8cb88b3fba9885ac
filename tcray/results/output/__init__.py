"""Findings as people and machines read them: a document, figures, a report, TensorBoard runs."""
