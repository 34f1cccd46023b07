"""`python -m ranloop` is the `ranloop` command."""

from ranloop.cli import main

main()
