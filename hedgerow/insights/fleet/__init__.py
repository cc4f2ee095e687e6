"""Figures about installations of self-hosted software (``fleet`` §2).

One statement asks for what the fleet reported (``observations``); the figures are plain
functions over the installations this makes, one file for each group of them. ``figures``
is the table of all; ``query`` answers by it.
"""
