"""The Helm chart, rendered by Helm and held against the schemas of Kubernetes; no cluster is asked."""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from jobs.settings import Settings, read_settings
from respool.processes import API_COMMAND, SENDER_COMMAND, WORKER_COMMAND
from respool.worker_health import HOSTS

CHECKOUT = Path(__file__).parents[2]
CHART = CHECKOUT / "deploy/helm/respool"
COMPONENTS = {"api": API_COMMAND, "worker": WORKER_COMMAND, "webhooks": SENDER_COMMAND}
KUBERNETES = ("1.27", "1.30", "1.34")
CUSTOM = ("ScaledObject", "ScrapeConfig")
METADATA = ("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192")
SCALING = {"worker": {"autoscaling": {"enabled": True}}}
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example.com/respool", "tag": "1", "pullSecrets": [{"name": "pull"}]},
    "settings": {"RESPOOL_PUBLIC_URL": "https://respool.example.com", "RESPOOL_LOG_LEVEL": "DEBUG"},
    "environment": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"},
    "secrets": {
        "values": {"RESPOOL_SECRET": "s" * 32, "RESPOOL_UPSTREAM_API_KEY": "sk: #1", "REDIS_PASSWORD": "p" * 32}
    },
    "certificates": "company-ca",
    "limits": '[accounts.default]\nurl = "https://example.com/v1"\nkey_variable = "KEY"\n',
    "files": {"storageClass": "shared"},
    "redis": {"storageClass": "fast", "passwordKey": "REDIS_PASSWORD"},
    "api": {
        "ingress": {"enabled": True, "className": "nginx", "annotations": {"a": "b"}},
        "podAnnotations": {"c": "d"},
    },
    "worker": {"autoscaling": {"enabled": True}, "podAnnotations": {"c": "d"}},
    "networkPolicy": {
        "apiFrom": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}],
        "extraEgress": [{"ports": [{"protocol": "TCP", "port": 4318}]}],
    },
    "scrapeConfig": {"enabled": True, "labels": {"release": "prometheus"}, "tokenKey": "RESPOOL_METRICS_TOKEN"},
    "nodeSelector": {"pool": "jobs"},
    "tolerations": [{"key": "jobs", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
}
LEAST: dict[str, Any] = {
    "secrets": {"existing": "mine"},
    "files": {"enabled": False},
    "redis": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
}
OWN_REDIS: dict[str, Any] = {
    "secrets": {"values": {"RESPOOL_REDIS_URL": "rediss+sentinel://:word@10.0.0.5:26379/mymaster/0"}},
    "redis": {"enabled": False},
    "networkPolicy": {"redisTo": [{"ipBlock": {"cidr": "10.0.0.5/32"}}], "redisPorts": [6379, 26379]},
}
VALUES = {"default": {}, "everything": EVERYTHING, "least": LEAST, "own redis": OWN_REDIS}


def documents(values: dict[str, Any]) -> list[dict[str, Any]]:
    with helm_python.Chart.load(str(CHART)) as chart:
        chart.validate_schema(chart.merge_values(values))
        rendered = chart.render(values, name="demo", namespace="prod")
    texts = [text for name, text in rendered.items() if name.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def of_kind(kind: str, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By name without the release's."""
    found = [document for document in documents(values) if document["kind"] == kind]
    return {document["metadata"]["name"].removeprefix("demo-respool").lstrip("-"): document for document in found}


def pods(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The pods' specifications by component."""
    found = of_kind("Deployment", values) | of_kind("StatefulSet", values)
    return {name: document["spec"]["template"]["spec"] for name, document in found.items()}


def container(name: str, values: dict[str, Any]) -> dict[str, Any]:
    (only,) = pods(values)[name]["containers"]
    return dict(only)


def env(name: str, values: dict[str, Any]) -> dict[str, str]:
    """What stands there as it is."""
    return {entry["name"]: entry["value"] for entry in container(name, values)["env"] if "value" in entry}


def labels_that_pods_have(values: dict[str, Any]) -> list[dict[str, str]]:
    found = [*of_kind("Deployment", values).values(), *of_kind("StatefulSet", values).values()]
    return [document["spec"]["template"]["metadata"]["labels"] for document in found]


def test_helm_finds_no_fault() -> None:
    found = helm_python.lint(str(CHART))
    assert found["errors"] == []
    assert [message["error"] for message in found["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_every_document_is_one_that_kubernetes_takes_with_no_field_beyond(values: dict[str, Any], version: str) -> None:
    for document in documents(values):
        if document["kind"] not in CUSTOM:
            kubernetes_validate.validate(document, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_would_be_found() -> None:
    document = of_kind("Deployment", {})["api"]
    document["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="redinessProbe"):
        kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"worker": {"replicas": -1}},
        {"worker": {"stopMarginSeconds": 1}},
        {"wroker": {}},
        {"settings": {"RESPOOL_SECRET": "in the open"}},
        {"settings": {"RESPOOL_SLOTS": "5"}},
        {"settings": {"PATH": "/"}},
        {"environment": {"RESPOOL_LOG_LEVEL": "INFO"}},
        {"scrapeConfig": {"interval": "often"}},
        {"redis": {"maxmemory": "much"}},
        {"redis": {"passwordKey": "RESPOOL_REDIS_PASSWORD"}},
        {"redis": {"enabled": False}},
    ],
)
def test_values_that_are_wrong_are_refused(wrong: dict[str, Any]) -> None:
    with helm_python.Chart.load(str(CHART)) as chart, pytest.raises(helm_python.HelmError):
        chart.render(wrong, name="demo", namespace="prod")


def test_every_value_is_described_by_the_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())

    def missing(value: Any, described: dict[str, Any], path: str) -> Iterator[str]:
        for name, part in value.items():
            if name not in described:
                yield f"{path}{name}"
            elif isinstance(part, dict) and "properties" in described[name]:
                yield from missing(part, described[name]["properties"], f"{path}{name}.")

    assert list(missing(defaults, schema["properties"], "")) == []


@pytest.mark.parametrize("name", COMPONENTS)
def test_pods_run_the_commands_of_the_procfile(name: str) -> None:
    assert container(name, {})["command"] == list(COMPONENTS[name])


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_settings_are_those_that_the_service_knows(values: dict[str, Any]) -> None:
    data = of_kind("ConfigMap", values)[""]["data"] or {}
    for name in COMPONENTS:
        given = data | env(name, values)
        told = {key: value for key, value in given.items() if not key.endswith(("_FILE", "_FOLDER"))}
        settings = read_settings(told)
        assert settings.slots == (200 if name == "worker" else Settings().slots)
        if values is not LEAST and values is not OWN_REDIS:
            password = ":$(REDIS_PASSWORD)@" if values is EVERYTHING else ""
            assert settings.redis_url == f"redis://{password}demo-respool-redis:6379/0"


@pytest.mark.parametrize(
    ("name", "slots", "kind"), [("worker", "slots", "worker"), ("webhooks", "webhook_slots", "sender")]
)
def test_pods_that_work_are_asked_whether_they_do_and_get_longer_to_stop_than_their_grace(
    name: str, slots: str, kind: str
) -> None:
    values = {name: {"graceSeconds": 100, "slots": 7}}
    settings = read_settings(env(name, values))
    assert (settings.grace_seconds, getattr(settings, slots)) == (100, 7)
    assert pods(values)[name]["terminationGracePeriodSeconds"] > 100 + 10
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container(name, values)[probe]["exec"]["command"] == ["python", "-m", "respool.worker_health", kind]
    assert kind in HOSTS


def test_an_outage_of_redis_of_some_minutes_ends_no_worker() -> None:
    for name in ("worker", "webhooks"):
        probe = container(name, {})["livenessProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 600


def test_the_api_is_left_alone_before_it_is_stopped_and_has_time_to_end_its_requests() -> None:
    spec, only = pods({})["api"], container("api", {})
    pause = int(only["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] > pause + 20 + 10  # gunicorn's graceful_timeout
    assert only["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert only["livenessProbe"]["httpGet"]["path"] == "/healthz"


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_every_pod_runs_without_root_rights_on_a_file_system_it_cannot_write(values: dict[str, Any]) -> None:
    for name, spec in pods(values).items():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for only in spec["containers"]:
            assert only["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            mounted = {mount["name"] for mount in only["volumeMounts"]}
            claimed = {volume["name"] for volume in spec.get("volumes", ())} | ({"data"} if name == "redis" else set())
            assert mounted == claimed
            assert only["resources"]["limits"]["memory"]


def test_api_and_workers_share_one_volume_of_files_and_senders_have_none() -> None:
    (claim,) = of_kind("PersistentVolumeClaim", {}).values()
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for name in ("api", "worker"):
        (volume,) = [volume for volume in pods({})[name]["volumes"] if volume["name"] == "files"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert {"name": "files", "mountPath": "/files"} in container(name, {})["volumeMounts"]
    assert all(volume["name"] != "files" for volume in pods({})["webhooks"]["volumes"])
    assert of_kind("ConfigMap", {})[""]["data"]["RESPOOL_FILES_FOLDER"] == "/files"


def test_other_variables_reach_the_processes_beside_the_settings() -> None:
    data = of_kind("ConfigMap", EVERYTHING)[""]["data"]
    assert EVERYTHING["environment"].items() | EVERYTHING["settings"].items() <= data.items()


def test_the_limits_file_reaches_every_process_and_a_change_of_it_starts_them_anew() -> None:
    def checksum(limits: str) -> str:
        document = of_kind("Deployment", {"limits": limits})["worker"]
        return str(document["spec"]["template"]["metadata"]["annotations"]["checksum/settings"])

    maps = of_kind("ConfigMap", EVERYTHING)
    assert maps["limits"]["data"] == {"limits.toml": EVERYTHING["limits"]}
    assert maps[""]["data"]["RESPOOL_LIMITS_FILE"] == "/etc/respool/limits/limits.toml"
    mount = {"name": "limits", "mountPath": "/etc/respool/limits", "readOnly": True}
    for name in COMPONENTS:
        assert mount in container(name, EVERYTHING)["volumeMounts"]
    assert checksum("a = 1") != checksum("a = 2")


def test_certificates_of_ones_own_reach_every_process() -> None:
    mount = {"name": "certificates", "mountPath": "/etc/respool/certificates", "readOnly": True}
    for name in COMPONENTS:
        assert mount in container(name, EVERYTHING)["volumeMounts"]
        assert {"name": "certificates", "configMap": {"name": "company-ca"}} in pods(EVERYTHING)[name]["volumes"]


def test_redis_wants_the_password_that_all_processes_give_and_it_stands_in_no_command() -> None:
    wanted = {"secretKeyRef": {"name": "demo-respool", "key": "REDIS_PASSWORD"}}
    (asked,) = container("redis", EVERYTHING)["env"]
    assert asked == {"name": "REDISCLI_AUTH", "valueFrom": wanted}
    assert container("redis", EVERYTHING)["command"][-2:] == ["--requirepass", "$(REDISCLI_AUTH)"]
    for name in COMPONENTS:
        names = [entry["name"] for entry in container(name, EVERYTHING)["env"]]
        assert {"name": "REDIS_PASSWORD", "valueFrom": wanted} in container(name, EVERYTHING)["env"]
        # Kubernetes fills in only what stands before.
        assert names.index("REDIS_PASSWORD") < names.index("RESPOOL_REDIS_URL")


def test_secrets_stand_in_a_secret_alone() -> None:
    secrets = EVERYTHING["secrets"]["values"]
    assert of_kind("Secret", EVERYTHING)[""]["stringData"] == secrets
    others = json.dumps([document for document in documents(EVERYTHING) if document["kind"] != "Secret"])
    assert not any(value in others for value in secrets.values())
    assert of_kind("Secret", LEAST) == {}
    assert {"secretRef": {"name": "mine"}} in container("worker", LEAST)["envFrom"]


def test_redis_keeps_every_accepted_job_in_a_volume_and_evicts_nothing() -> None:
    (command,) = [only["command"] for only in pods({})["redis"]["containers"]]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert (options["--appendonly"], options["--maxmemory-policy"]) == ("yes", "noeviction")
    assert options["--hash-max-listpack-value"] == "4096"
    assert options["--dir"] == container("redis", {})["volumeMounts"][0]["mountPath"]


def test_redis_refuses_submits_before_memory_ends_it() -> None:
    options = container("redis", {})["command"]
    most = options[options.index("--maxmemory") + 1]
    assert (most, container("redis", {})["resources"]["limits"]["memory"]) == ("2gb", "4Gi")


def test_redis_that_is_still_loading_is_not_taken_for_ready_and_is_waited_for() -> None:
    for probe in ("startupProbe", "readinessProbe"):
        assert container("redis", {})[probe]["exec"]["command"] == ["valkey-cli", "-e", "ping"]

    def patience(name: str) -> int:
        probe = container(name, {})["startupProbe"]
        return int(probe["periodSeconds"] * probe["failureThreshold"])

    assert patience("worker") == patience("webhooks") > patience("redis")


def test_redis_is_started_anew_by_no_new_release_of_the_service() -> None:
    release = {"helm.sh/chart", "app.kubernetes.io/version"}
    document = of_kind("StatefulSet", EVERYTHING)["redis"]
    assert release <= document["metadata"]["labels"].keys()
    assert not release & document["spec"]["template"]["metadata"]["labels"].keys()
    assert "annotations" not in document["spec"]["template"]["metadata"]


def test_selectors_find_the_pods_of_their_component() -> None:
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        for name, document in of_kind(kind, {}).items():
            spec = document["spec"]
            wanted = (
                spec["selector"] if kind == "Service" else (spec.get("selector") or spec["podSelector"])["matchLabels"]
            )
            found = [labels for labels in labels_that_pods_have({}) if wanted.items() <= labels.items()]
            assert [labels["app.kubernetes.io/component"] for labels in found] == [name or "api"]


def test_the_network_lets_each_pod_reach_what_it_needs_and_nothing_private_else() -> None:
    policies = {name: document["spec"] for name, document in of_kind("NetworkPolicy", {}).items()}
    assert policies["worker"]["ingress"] == policies["webhooks"]["ingress"] == []
    assert policies["redis"]["egress"] == []

    def blocks(name: str) -> list[str]:
        return [
            peer["ipBlock"]["cidr"]
            for rule in policies[name]["egress"]
            for peer in rule.get("to", ())
            if "ipBlock" in peer
        ]

    assert (blocks("api"), blocks("worker"), blocks("webhooks")) == ([], ["0.0.0.0/0"], ["0.0.0.0/0"])
    for name in ("worker", "webhooks"):
        (block,) = [rule["to"][0]["ipBlock"] for rule in policies[name]["egress"] if "ipBlock" in str(rule)]
        excepted = [ip_network(cidr) for cidr in block["except"]]
        for address in ("10.1.2.3", "172.31.0.1", "192.168.1.1", *METADATA):
            assert any(ip_address(address) in network for network in excepted), address


def test_senders_reach_receivers_on_every_port_that_a_webhook_may_have() -> None:
    def ports(values: dict[str, Any]) -> list[dict[str, Any]]:
        rules = of_kind("NetworkPolicy", values)["webhooks"]["spec"]["egress"]
        (found,) = [rule["ports"] for rule in rules if "ipBlock" in str(rule)]
        return list(found)

    assert ports({}) == [{"protocol": "TCP"}]
    assert ports({"networkPolicy": {"receiverPorts": [443]}}) == [{"protocol": "TCP", "port": 443}]


def test_the_pod_that_restores_mounts_the_volumes_of_the_chart() -> None:
    pod = yaml.safe_load((CHECKOUT / "deploy/helm/restore-pod.yaml").read_text())
    kubernetes_validate.validate(pod, KUBERNETES[-1], strict=True)
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    (redis,) = [document for document in documents({}) if document["kind"] == "StatefulSet"]
    (files,) = [document for document in documents({}) if document["kind"] == "PersistentVolumeClaim"]
    (template,) = redis["spec"]["volumeClaimTemplates"]
    wanted = {
        "redis": f"{template['metadata']['name']}-{redis['metadata']['name']}-0",
        "files": files["metadata"]["name"],
    }
    assert claims == {name: claim.replace("demo-", "") for name, claim in wanted.items()}
    users = redis["spec"]["template"]["spec"]["securityContext"], pods({})["api"]["securityContext"]
    told = (CHECKOUT / "docs/backup.md").read_text()
    for user, place in zip(users, ("/redis", "/files"), strict=True):
        assert f"chown -R {user['runAsUser']}:{user['runAsGroup']} {place}" in told


def test_a_redis_of_ones_own_can_be_reached() -> None:
    for name, document in of_kind("NetworkPolicy", OWN_REDIS).items():
        assert {
            "to": [{"ipBlock": {"cidr": "10.0.0.5/32"}}],
            "ports": [{"protocol": "TCP", "port": 6379}, {"protocol": "TCP", "port": 26379}],
        } in document["spec"]["egress"], name


def test_workers_scale_from_none_by_the_jobs_that_have_not_ended() -> None:
    scaled = of_kind("ScaledObject", SCALING)["worker"]["spec"]
    assert scaled["minReplicaCount"] == 0
    assert scaled["scaleTargetRef"]["name"] == of_kind("Deployment", SCALING)["worker"]["metadata"]["name"]
    assert "replicas" not in of_kind("Deployment", SCALING)["worker"]["spec"]
    assert of_kind("Deployment", {})["worker"]["spec"]["replicas"] == 2
    (trigger,) = scaled["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"]["activationThreshold"] == "0"


def test_nobody_is_stopped_while_nobody_can_tell_how_many_jobs_there_are() -> None:
    scaled = of_kind("ScaledObject", SCALING)["worker"]["spec"]
    assert (scaled["fallback"]["behavior"], scaled["fallback"]["replicas"]) == ("currentReplicasIfHigher", 1)
    assert scaled["triggers"][0]["metadata"]["ignoreNullValues"] == "false"


def test_workers_scale_by_metrics_that_there_are() -> None:
    (trigger,) = of_kind("ScaledObject", SCALING)["worker"]["spec"]["triggers"]
    named = set(re.findall(r"respool_[a-z_]+", trigger["metadata"]["query"]))
    assert {"respool_jobs", "respool_batches"} == named
    assert named <= set(
        re.findall(r"^\| `(respool_[a-z_]+)`", (CHECKOUT / "docs/metrics.md").read_text(), re.MULTILINE)
    )


def test_prometheus_asks_one_address_since_each_process_tells_of_the_whole_service() -> None:
    (scrape,) = of_kind("ScrapeConfig", EVERYTHING).values()
    assert scrape["spec"]["staticConfigs"][0]["targets"] == ["demo-respool.prod.svc:8000"]
    assert scrape["spec"]["authorization"]["credentials"] == {"name": "demo-respool", "key": "RESPOOL_METRICS_TOKEN"}


def test_chart_and_package_are_of_one_release() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"]
    assert f'version = "{chart["appVersion"]}"' in (CHECKOUT / "pyproject.toml").read_text()
