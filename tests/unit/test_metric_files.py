"""The dashboard and the alert rules ask for metrics, labels and values that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from jobs.metrics.family import Family
from jobs.metrics.reader import FAMILIES

ROOT = Path(__file__).parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/respool.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))[
    "groups"
]
RULES = [rule for group in GROUPS for rule in group["rules"]]
PAGE = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
VALUES = set(re.findall(r"`([^`\s]+)`", PAGE))
SAMPLES: dict[str, Family] = {name: family for family in FAMILIES for name in family.sample_names}
OF_GRAFANA = {"$__rate_interval": "5m"}


def parsed(text: str) -> promql_parser.Expr:
    for name, value in OF_GRAFANA.items():
        text = text.replace(name, value)
    return promql_parser.parse(text)


def nodes(text: str) -> list[Any]:
    found: list[Any] = []
    promql_parser.walk(parsed(text), found.append)
    return found


def selectors(text: str) -> Iterator[Any]:
    return (node for node in nodes(text) if isinstance(node, promql_parser.VectorSelector))


def labels_of(selector: Any) -> set[str]:
    return {*SAMPLES[selector.name].labels, *(["le"] if selector.name.endswith("_bucket") else [])}


def mistakes(text: str) -> list[str]:
    """What the expression asks for and nobody has."""
    found, known = [], set[str]()
    for selector in selectors(text):
        if selector.name not in SAMPLES:
            found.append(f"no metric {selector.name}")
            continue
        known |= labels_of(selector)
        for matcher in selector.matchers.matchers:
            if matcher.name not in labels_of(selector):
                found.append(f"{selector.name} has no label {matcher.name}")
            elif matcher.name not in ("account", "model"):
                found += [f"no value {value}" for value in matcher.value.split("|") if value not in VALUES]
    grouped = {label for names in re.findall(r"\b(?:by|without|on) \(([^)]*)\)", text) for label in names.split(",")}
    return found + [f"no label {label}" for label in {name.strip() for name in grouped} - known - {""}]


def targets() -> list[Any]:
    return [
        pytest.param(target, id=f"{panel['title']} {target['refId']}")
        for panel in PANELS
        for target in panel["targets"]
    ]


@pytest.mark.parametrize("target", targets())
def test_a_panel_asks_for_what_exists(target: dict[str, Any]) -> None:
    assert mistakes(target["expr"]) == []
    labels = set().union(*(labels_of(selector) for selector in selectors(target["expr"])))
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_exists(rule: dict[str, Any]) -> None:
    assert mistakes(rule["expr"]) == []
    labels = set().union(*(labels_of(selector) for selector in selectors(rule["expr"])))
    texts = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", texts)) <= labels
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("sum(respool_job)", "no metric respool_job"),
        ("rate(respool_wait_seconds[5m])", "no metric respool_wait_seconds"),
        ('respool_jobs{stage="waiting"}', "respool_jobs has no label stage"),
        ('respool_jobs{state=~"waiting|weighting"}', "no value weighting"),
        ("sum by (stage) (respool_jobs)", "no label stage"),
    ],
)
def test_a_mistake_would_be_seen(text: str, mistake: str) -> None:
    assert mistakes(text) == [mistake]


@pytest.mark.parametrize("text", [*(p.values[0]["expr"] for p in targets()), *(rule["expr"] for rule in RULES)])
def test_a_counter_is_asked_for_its_rate_and_a_gauge_never(text: str) -> None:
    rated = {node.vector_selector.name for node in nodes(text) if isinstance(node, promql_parser.MatrixSelector)}
    asked = {*rated, *(selector.name for selector in selectors(text))}
    assert {name for name in asked if SAMPLES[name].kind != "gauge"} == rated


def test_every_metric_is_on_the_dashboard_or_in_a_rule() -> None:
    texts = [target.values[0]["expr"] for target in targets()] + [rule["expr"] for rule in RULES]
    asked = set(re.findall(r"\brespool_\w+", " ".join(texts)))
    assert [family.name for family in FAMILIES if not asked & set(family.sample_names)] == []


def test_the_names_of_rules_and_panels_are_their_own() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_prometheus_reads_the_rules_beside_its_configuration() -> None:
    folder = ROOT / "deploy/prometheus"
    config = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))
    assert [(folder / name).is_file() for name in config["rule_files"]] == [True]
