"""A command as it is typed, run in this process against a small API."""

from click.testing import CliRunner, Result

from respool.cli import main
from respool.client import Api


def typed(api: Api, *arguments: str, stdin: str = "") -> Result:
    """How it ended, and what it printed."""
    environ = {"RESPOOL_API_KEY": api.session.target.api_key}
    return CliRunner(env=environ).invoke(main, [*arguments, "--url", api.session.target.url], input=stdin)
