"""The events database; the only package that knows an engine."""
