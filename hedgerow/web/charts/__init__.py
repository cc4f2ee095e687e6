"""Answers → what is drawn: plain data, made without a browser, a disk or a clock."""
