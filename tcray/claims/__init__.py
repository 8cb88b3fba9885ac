"""From stored rows to decisions: units, paired differences, computed quantities and verdicts."""
