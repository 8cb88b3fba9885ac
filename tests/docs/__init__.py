"""Tests of README, documentation and examples: every command and snippet is run or checked."""
