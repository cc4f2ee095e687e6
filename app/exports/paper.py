"""How a PDF is set. Apart from what writes it, which is loaded when somebody wants one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAPERS = ("a4", "letter")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """How a document is set."""

    size: str = "a4"
    most_rows: int = 5000
    fonts: Sequence[Path] = ()
    """Files of one typeface, for different letters; the first is the main one."""
