"""From a sweep's store to findings: each module asks one question of the evidence."""
