"""Other programs' files become entries: recognised, mapped, tried, committed, taken back.

Nothing here tells anybody: views and jobs report what happened.
"""
