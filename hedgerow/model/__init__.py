"""Nouns, and the ports of the disks."""
