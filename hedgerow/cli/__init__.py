"""The command line: parse, call, print. Exit 0: done, 1: refused, 2: wrong usage."""

from hedgerow.cli.program import main

__all__ = ["main"]
