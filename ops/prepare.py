"""Prepare the front end, and what tests need from the system.

Needs nothing but Python and the packages of the lock file. Node is taken from the machine
where it is new enough, else from a wheel. Doing it again when nothing changed costs a hash
over the sources.

    python ops/prepare.py            packages of the lock file, then bundles
    python ops/prepare.py --tests    also a browser and a PostgreSQL, from the system's packages
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAMP = ROOT / "node_modules" / ".prepared"
BUNDLED = [ROOT / "hedgerow/web/static/dist", ROOT / "app/static/dist"]
SOURCES = [
    "hedgerow/web/static/src",
    "app/static/src",
    "ops/bundle.mjs",
    "package-lock.json",
]
OLDEST_NODE = 18
SYSTEM = {  # what tests need: program or folder → the system's package
    "/usr/bin/chromium": "chromium",
    "/usr/lib/postgresql": "postgresql",
}


def say(text: str) -> None:
    """Tell on standard error what takes a moment."""
    print(text, file=sys.stderr, flush=True)


def node() -> tuple[list[str], list[str]]:
    """Return how to call node and npm, installing them as a wheel where missing."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm:
        major = subprocess.run(
            [found, "-p", "process.versions.node"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split(".")[0]
        if major.isdigit() and int(major) >= OLDEST_NODE:
            return [found], [npm]
    scripts = Path(sys.executable).parent
    if not (scripts / "node").exists():
        say("No Node.js here: installing it as a Python package …")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        subprocess.run([*pip, "-r", str(ROOT / "requirements-node.lock")], check=True)
    os.environ["PATH"] = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return [str(scripts / "node")], [str(scripts / "npm")]


def digest() -> str:
    """Return a hash over everything the bundles are made of."""
    total = hashlib.sha256()
    for name in SOURCES:
        place = ROOT / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file():
                total.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
                total.update(path.read_bytes())
    return total.hexdigest()


def front_end() -> None:
    """Install the front-end packages and bundle them, unless that is done already."""
    wanted = digest()
    made = STAMP.read_text().strip() if STAMP.exists() else ""
    if made == wanted and all(folder.is_dir() for folder in BUNDLED):
        return
    call_node, call_npm = node()
    say("Installing the front-end packages …")
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*call_npm, "ci", *quiet], cwd=ROOT, check=True, stdout=sys.stderr)
    say("Bundling scripts and styles …")
    subprocess.run([*call_node, "ops/bundle.mjs"], cwd=ROOT, check=True, stdout=sys.stderr)
    STAMP.write_text(wanted)


def system_packages() -> None:
    """Install what tests need from the system's packages, where that is possible."""
    missing = [package for place, package in SYSTEM.items() if not Path(place).exists()]
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(
            f"The tests need {names}: install {'it' if len(missing) == 1 else 'them'} first."
        )
    say(f"Installing {names} for the tests …")
    quiet = {
        "stdout": subprocess.DEVNULL,
        "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    }
    subprocess.run(["apt-get", "update", "-qq"], check=True, **quiet)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
        check=True,
        **quiet,
    )


if __name__ == "__main__":
    front_end()
    if "--tests" in sys.argv[1:]:
        system_packages()
