r"""Help that keeps its examples as they are written.

Click folds every paragraph but those that begin with a backspace. Docstrings here write
it as ``\b``, readable, and these classes make it the character that Click wants.
"""

from typing import Any

import click


class Taught(click.Command):
    """A command whose help has examples."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = unfolded(self.help)


class TaughtGroup(click.Group):
    """A group whose help has examples; it lists commands in the order of a first day."""

    command_class = Taught

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = unfolded(self.help)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they were added."""
        del ctx
        return list(self.commands)


def unfolded(text: str | None) -> str | None:
    """Return a docstring with the character for each one that is written out."""
    return None if text is None else text.replace("\\b\n", "\b\n")
