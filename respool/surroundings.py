"""What the processes of `up` find in their environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import respool
from jobs.accounts import open_keys
from jobs.errors import SettingsError
from jobs.limits import read_limits
from jobs.settings import PREFIX, Settings, read_settings
from respool.data_folder import Service
from respool.errors import WrongSettings
from respool.processes import WORKER_GRACE_SECONDS

ROOMS = Path(respool.__file__).parents[1]
"""Where the rooms are imported from: the checkout, or the installed packages."""


def checked(environ: Mapping[str, str]) -> Settings:
    """The settings that all processes will read, the limits file and the keys of its accounts among them.

    Raises WrongSettings.
    """
    try:
        settings = read_settings(environ)
        open_keys(read_limits(settings.limits_file).accounts, environ)
        return settings
    except SettingsError as error:
        raise WrongSettings(str(error)) from error


def environment(
    environ: Mapping[str, str],
    settings: Settings,
    service: Service,
    *,
    slots: int | None,
    sandbox_url: str | None,
    webhook_secret: str,
    files_folder: Path,
) -> dict[str, str]:
    """`environ` and what points the processes at each other; `sandbox_url` is None if there is a real upstream.

    `files_folder` holds for what RESPOOL_FILES_FOLDER leaves unset.
    """
    ours: dict[str, object] = {
        "redis_url": service.redis_url,
        "api_key": service.api_key,
        "public_url": settings.public_url or service.url,
        "slots": slots or settings.slots,
        "webhook_secret": webhook_secret,
        "files_folder": (settings.files_folder or files_folder).resolve(),
        "grace_seconds": min(WORKER_GRACE_SECONDS, settings.grace_seconds),
        "log_format": settings.log_format or "text",
    }
    if sandbox_url is not None:
        # Neither a proxy nor anyone's real key has a part in calls to the sandbox.
        ours |= {"upstream_url": sandbox_url + "/v1", "upstream_api_key": "sandbox", "upstream_proxy": ""}
    # The processes run in another folder, where a relative path would lead elsewhere.
    files = {name: getattr(settings, name) for name in ("limits_file", "upstream_ca_file", "webhook_ca_file")}
    ours |= {name: path.resolve() for name, path in files.items() if path is not None}
    variables = {PREFIX + name.upper(): str(value) for name, value in ours.items()}
    return {**environ, **variables, "PYTHONUNBUFFERED": "1"}
