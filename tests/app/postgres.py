"""A PostgreSQL for the run: made in a temporary folder, asked over a socket, ended at the end.

Databases are copied from a migrated template, so that each test has its own within a few
hundredths of a second. The server refuses to run as root: there the system's user
``postgres`` runs it.
"""

import getpass
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from app.models import Database
from app.models.schema import migrate

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Debian keeps one folder a version; ``ops/prepare.py --tests`` installs it."""

OPTIONS = ("-F -c listen_addresses='' -c fsync=off -c full_page_writes=off "
           "-c shared_buffers=16MB -c max_connections=40")  # fmt: skip


class Cluster:
    """A running server, and the databases made in it."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "-A", "trust", "-U", "tt", "-N", "-E", "UTF8", "--locale=C.UTF-8",
                  "-D", f"{folder}/data")  # fmt: skip
        self._run("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log",
                  "-o", f"{OPTIONS} -k {folder}", "start")  # fmt: skip

    def _run(self, program, *arguments):
        as_user = {"user": self.user} if os.geteuid() == 0 else {}
        subprocess.run(
            [str(PROGRAMS[-1] / program), *arguments],
            check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **as_user,
        )  # fmt: skip

    def url(self, name):
        """Return the address of a database, as ``DATABASE_URL`` has it."""
        return f"postgresql://tt@/{name}?host={self.folder}"

    def execute(self, sql):
        with psycopg.connect(host=str(self.folder), user="tt", dbname="postgres",
                             autocommit=True) as asked:  # fmt: skip
            asked.execute(sql)

    def create(self, template="template0"):
        """Return the address of a new database, a copy of ``template``."""
        self.made += 1
        name = f"t{self.made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def close(self):
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server of the run; not below pytest's folder, which is root's alone."""
    with tempfile.TemporaryDirectory(prefix="tt-pg-") as folder:
        made = Cluster(Path(folder))
        yield made
        made.close()


@pytest.fixture(scope="session")
def laid_postgres(cluster):
    """The name of a migrated database on that server, to be copied."""
    cluster.execute("CREATE DATABASE laid")
    database = Database(cluster.url("laid"))
    migrate(database)
    database.close()
    return "laid"
