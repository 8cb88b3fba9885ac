"""Results as a terminal shows them: verdicts in plain words, then tables as wide as there is room for."""
