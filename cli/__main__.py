"""`python -m cli` is `clientela`."""

from cli import main

main(prog_name="clientela")
