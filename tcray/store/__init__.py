"""What happened: every run of every sweep in Arrow tables that only ever grow."""
