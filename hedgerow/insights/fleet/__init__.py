"""Figures about installations of self-hosted software (``fleet`` §2).

``query`` asks once for a project's fleet events; the figures are plain functions over the
installations these make (``observations``), one file for each group of figures.
"""
