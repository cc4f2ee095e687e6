"""What reads as a number, a version or a time: patterns every engine knows (RE2)."""

NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
"""What reads as a number: no ``nan``, no ``inf``, no ``1_000``."""

SEMVER = r"^\s*v?([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})(?:[-+].*)?\s*$"
ZONED = r"([Zz]|[+-][0-9]{2}:?[0-9]{2})\s*$"
DAY = r"^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
