"""Hedgerow: product analytics that installs with one command."""
