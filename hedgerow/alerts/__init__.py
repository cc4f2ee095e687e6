"""Alerts: look when it is due, compare, and tell those who asked for it."""
