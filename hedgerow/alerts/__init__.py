"""Alerts and subscriptions: look when it is due, compare, and tell those who want it."""
