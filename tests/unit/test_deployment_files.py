"""Procfile, image, compose file and `respool up` run the same commands."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from jobs.settings import Settings, read_settings
from respool.processes import API_COMMAND, SENDER_COMMAND, WORKER_COMMAND
from respool.worker_health import HOSTS

CHECKOUT = Path(__file__).parents[2]
PROCFILE = dict(line.split(": ", 1) for line in (CHECKOUT / "Procfile").read_text().splitlines())
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
OWN = ("api", "worker", "webhooks")
CELERY = ("worker", "webhooks")


def resolved(text: str) -> str:
    """The text as compose reads it where no variable is set."""
    return re.sub(r"\$\{[A-Z_]+:(?:-([^}]*)|\+[^}]*)\}", lambda found: found[1] or "", text)


def mounts(name: str) -> list[list[str]]:
    """Of a service: source, place, and mode where one is given."""
    return [resolved(mount).split(":") for mount in SERVICES[name].get("volumes", ())]


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text.removesuffix("s"))


@pytest.mark.parametrize(
    ("name", "command"), [("api", API_COMMAND), ("worker", WORKER_COMMAND), ("webhooks", SENDER_COMMAND)]
)
def test_procfile_and_compose_run_the_commands_of_up(name: str, command: tuple[str, ...]) -> None:
    assert shlex.split(PROCFILE[name]) == list(command)
    assert SERVICES[name]["command"] == list(command)


def test_procfile_holds_the_processes_of_the_service_alone() -> None:
    assert set(PROCFILE) == set(OWN)


def test_only_the_api_and_grafana_are_published_and_unless_asked_to_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"api", "grafana"}
    for (port,) in published.values():
        assert resolved(port).startswith("127.0.0.1:")


def test_the_compose_file_holds_what_the_specification_of_compose_knows_and_nothing_else() -> None:
    text = yaml.safe_dump({name: value for name, value in COMPOSE.items() if not name.startswith("x-")})
    assert set(PyCompose.from_yaml(resolved(text)).service_names()) == set(SERVICES)
    with pytest.raises(ValueError, match="heathcheck"):
        PyCompose.from_yaml(resolved(text).replace("healthcheck", "heathcheck"))


def test_what_watches_the_service_is_started_only_by_its_profile() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"prometheus", "grafana"}
    for name in ("prometheus", "grafana"):
        assert SERVICES[name]["profiles"] == ["observability"]


def test_every_file_of_the_checkout_that_is_mounted_is_there() -> None:
    found = [mount for name in SERVICES for mount in mounts(name) if mount[0][0] == "."]
    assert len(found) == 3
    for source, _, mode in found:
        assert (CHECKOUT / source).exists(), source
        assert mode == "ro"


def test_every_named_volume_is_declared_and_used() -> None:
    used = {mount[0] for name in SERVICES for mount in mounts(name)}
    assert {source for source in used if source[0] not in "./"} == set(COMPOSE["volumes"])


def test_prometheus_reads_its_configuration_where_it_is_mounted_and_scrapes_the_api_of_compose() -> None:
    assert "--config.file=/etc/prometheus/prometheus.yml" in SERVICES["prometheus"]["command"]
    configuration = yaml.safe_load((CHECKOUT / "deploy/prometheus/prometheus.yml").read_text())
    (scrape,) = configuration["scrape_configs"]
    assert [target for group in scrape["static_configs"] for target in group["targets"]] == ["api:8000"]
    for pattern in configuration["rule_files"]:
        assert list((CHECKOUT / "deploy/prometheus").glob(Path(pattern).name)), pattern


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    folder = CHECKOUT / "deploy/grafana/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((folder / "dashboards/respool.yml").read_text())["providers"]
    assert f"{provider['options']['path']}/respool.json" in [mount[1] for mount in mounts("grafana")]
    dashboard = (CHECKOUT / "deploy/grafana/respool.json").read_text()
    assert set(re.findall(r'"uid": "([^"$]*)"', dashboard)) <= {source["uid"], json.loads(dashboard).get("uid")}


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert program is not None
    found = subprocess.run([program, str(CHECKOUT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 0)


def test_every_service_has_a_health_check_and_is_started_again() -> None:
    for service in SERVICES.values():
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"


def test_every_service_runs_without_root_rights_on_a_file_system_it_cannot_write() -> None:
    for service in SERVICES.values():
        assert str(service["user"]).split(":")[0] not in ("", "0", "root")
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", CELERY)
def test_workers_and_senders_can_be_scaled_since_nothing_about_them_is_unique(name: str) -> None:
    assert not {"container_name", "hostname", "ports"} & SERVICES[name].keys()


def test_the_api_and_the_workers_share_one_volume_of_files_which_the_image_lets_them_write() -> None:
    volume = ["files", "/files"]
    assert volume not in mounts("webhooks")
    name, place = volume
    assert name in COMPOSE["volumes"]
    for service in ("api", "worker"):
        assert volume in mounts(service)
        assert SERVICES[service]["environment"]["RESPOOL_FILES_FOLDER"] == place
    assert f"install --directory --owner 10001 --group 10001 --mode 700 {place}" in DOCKERFILE


@pytest.mark.parametrize("name", CELERY)
def test_they_get_more_time_to_stop_than_their_grace_and_what_celery_takes_around_it(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) > Settings().grace_seconds + 10


@pytest.mark.parametrize(("name", "kind"), [("worker", "worker"), ("webhooks", "sender")])
def test_their_health_checks_look_for_a_process_of_their_own_kind(name: str, kind: str) -> None:
    _, *command = SERVICES[name]["healthcheck"]["test"]
    assert command[:3] == ["python", "-m", "respool.worker_health"]
    assert (command[3:] or ["worker"]) == [kind]
    assert kind in HOSTS


def test_redis_keeps_every_accepted_job_in_a_volume_and_evicts_nothing() -> None:
    redis = SERVICES["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--hash-max-listpack-value"] == "4096"
    assert mounts("redis") == [["redis", "/data"]]
    assert "redis" in COMPOSE["volumes"]


def test_redis_refuses_submits_before_memory_ends_it_and_is_not_asked_for_anything_while_it_loads() -> None:
    redis = SERVICES["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert resolved(options["--maxmemory"]) == "2gb"
    assert redis["healthcheck"]["test"] == ["CMD", "valkey-cli", "-e", "ping"]
    assert seconds(redis["healthcheck"]["start_period"]) >= 600


def test_a_limits_file_of_the_host_reaches_every_process_that_reads_its_setting() -> None:
    for name in OWN:
        (source,) = [mount for mount in SERVICES[name]["volumes"] if "RESPOOL_LIMITS_FILE" in mount]
        place = SERVICES[name]["environment"]["RESPOOL_LIMITS_FILE"]
        assert source == f"${{RESPOOL_LIMITS_FILE:-/dev/null}}:{place.split(':+')[1].rstrip('}')}:ro"
        assert resolved(place) == ""


def test_logs_do_not_grow_without_end_beside_the_volume_of_redis() -> None:
    assert {name for name, service in SERVICES.items() if service["logging"] != {"driver": "local"}} == set()


def test_the_image_bears_the_release() -> None:
    (image,) = {SERVICES[name]["image"] for name in OWN}
    assert f'version = "{image.removeprefix("respool:")}"' in (CHECKOUT / "pyproject.toml").read_text()


def test_api_workers_and_senders_wait_for_a_healthy_redis_and_reach_it_by_a_valid_setting() -> None:
    for name in OWN:
        service = SERVICES[name]
        assert service["depends_on"]["redis"]["condition"] == "service_healthy"
        environ = {key: value for key, value in service["environment"].items() if "$" not in value}
        assert read_settings(environ).redis_url.startswith("redis://redis:")


def test_compose_passes_settings_on_under_names_that_exist() -> None:
    for name in OWN:
        read_settings(dict.fromkeys(SERVICES[name]["environment"], ""))


def test_the_image_runs_the_api_as_a_user_without_rights() -> None:
    lines = DOCKERFILE.splitlines()
    (command,) = (line.removeprefix("CMD ") for line in lines if line.startswith("CMD "))
    assert json.loads(command) == list(API_COMMAND)
    user = next(line for line in lines if line.startswith("USER ")).removeprefix("USER ")
    assert user == SERVICES["api"]["user"] == "10001:10001"


def test_the_image_is_built_from_all_rooms_and_from_no_local_data() -> None:
    wanted = {
        line.removeprefix("!") for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert {"schemas", "jobs", "worker", "api", "sandbox", "respool", "pyproject.toml", "requirements.lock"} <= wanted
    assert not {".git", ".venv", ".env", ".respool", "tests"} & wanted
    assert (CHECKOUT / ".dockerignore").read_text().splitlines()[1] == "*"
