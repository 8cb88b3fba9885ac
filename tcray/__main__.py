"""`python -m tcray`: the command line."""

from tcray.cli import main

main(prog_name="tcray")
