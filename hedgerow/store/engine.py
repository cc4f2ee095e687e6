"""DuckDB as we open it, and what its errors mean to the writer.

Everything that reaches outside is shut off: files, network, extensions. An error is about a
value (the writer finds the event), about memory (less at once may fit), about the disk
(later it may work), or fatal: then the engine answers nothing more until the file has been
opened again, which ``DuckStore.mend`` does.
"""

from pathlib import Path

import duckdb

from hedgerow.errors import StoreUnavailable

IN_MEMORY = ":memory:"
FATAL = (duckdb.FatalException, duckdb.InternalException, duckdb.ConnectionException)
"""After these the connection is of no more use."""

REFUSES_VALUES = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
    duckdb.TypeMismatchException,
    duckdb.InvalidTypeException,
    duckdb.BinderException,
    duckdb.ParserException,
    duckdb.NotSupportedError,
)
"""What the engine raises about a value; anything else is about the disk or itself."""


def unavailable(error: duckdb.Error) -> StoreUnavailable:
    """Return what an engine's trouble means to the writer: try again later."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return StoreUnavailable(
        f"The events database refuses: {said}",
        hint="Nothing is lost: what came waits in the inbox. Free disk space if it is full.",
    )


def opened(
    path: Path | None, memory_mib: int, temporary: Path | None
) -> duckdb.DuckDBPyConnection:
    """Open or create the file; None keeps all in memory. Raises StoreUnavailable."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mib}MiB",
        "wal_autocheckpoint": "256MB",  # the writer does it earlier, between batches
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
        "preserve_insertion_order": True,
    }
    if path is not None:
        spill = temporary or path.parent / "spill"
        config["temp_directory"] = str(spill)
        config["max_temp_directory_size"] = "4GiB"
    try:
        connection = duckdb.connect(str(path) if path else IN_MEMORY, config=config)
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        connection.execute("SET lock_configuration = true").fetchall()
    except duckdb.Error as error:
        raise StoreUnavailable(
            f"The events database {path} cannot be opened: {str(error).splitlines()[0]}",
            hint="Only one Hedgerow may use a data folder at a time.",
        ) from error
    return connection
