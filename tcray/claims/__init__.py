"""From stored rows to decisions: units, paired values, computed quantities and verdicts."""
