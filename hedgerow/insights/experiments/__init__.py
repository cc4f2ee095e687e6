"""Experiments: who saw which variant, what they did, and what may be concluded."""
