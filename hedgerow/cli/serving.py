"""``hedgerow serve``."""

import click
import msgspec

from hedgerow.cli.help import Taught
from hedgerow.cli.options import Options, everywhere
from hedgerow.serve import running


@click.command(cls=Taught)
@click.option(
    "--host", help="Address to listen on.  [env: HEDGEROW_HOST; default: 127.0.0.1]"
)
@click.option("--port", type=int, help="TCP port.  [env: HEDGEROW_PORT; default: 8000]")
@everywhere
@click.pass_obj
def serve(options: Options, host: str | None, port: int | None) -> None:
    r"""Run everything: receive events, answer questions, show screens.

    The first start prints a link to set it up. Stop it with Ctrl-C; what was acknowledged
    is kept, whatever happens.

    \b
    Example:
      hedgerow serve --data /srv/hedgerow --port 8000
    """
    settings = options.settings
    settings = msgspec.structs.replace(
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
    )
    running.serve(settings, say=click.echo)
