"""Check the files named: no trailing blanks, one end of line, nothing huge, no private key.

python ops/tidy.py FILE …      exit 1 and a line for each that is not tidy
"""

import sys
from pathlib import Path

LARGEST = 500_000  # bytes
KEY = b"-----BEGIN " + b"PRIVATE KEY-----"


def faults(path: Path) -> list[str]:
    """Return what is not tidy about a file, in words."""
    content = path.read_bytes()
    found = []
    if len(content) > LARGEST:
        found.append(f"larger than {LARGEST:,} bytes")
    if KEY in content:
        found.append("holds a private key")
    if content and not content.endswith(b"\n"):
        found.append("does not end with a line end")
    if path.suffix != ".md" and any(
        line != line.rstrip() for line in content.decode(errors="replace").split("\n")
    ):
        found.append("has blanks at the end of a line")
    return found


if __name__ == "__main__":
    wrong = [f"{name}: {fault}" for name in sys.argv[1:] for fault in faults(Path(name))]
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))
