"""The alert rules that are shipped: each asks of metrics that the services have, by labels that they have."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from shopwright.chassis import telemetry

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
GROUPS = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"]]
OF_PROMETHEUS = {"job", "instance", "up", "le"}


def metrics():
    """Every series that the chassis makes, with its labels."""
    assert telemetry.SAGAS, "imported for what it registers"
    made = [name for name in REGISTRY._names_to_collectors if name.startswith("shopwright_")]
    return {name: set(REGISTRY._names_to_collectors[name]._labelnames) for name in made}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
class TestEveryAlert:
    def test_asks_of_metrics_that_exist(self, rule):
        asked = set(re.findall(r"\bshopwright_[a-z_]+", rule["expr"]))

        assert asked <= set(metrics())
        assert asked or "up" in rule["expr"]

    def test_asks_by_labels_that_they_have(self, rule):
        known = set().union(*metrics().values()) | OF_PROMETHEUS
        by = {label for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in group.split(", ")}
        matched = set(re.findall(r"[{,]\s*(\w+)\s*[=!]", rule["expr"]))

        assert by | matched <= known

    def test_says_what_is_wrong_and_how_urgent_it_is(self, rule):
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_stuck_sagas_dead_letters_and_a_full_outbox_are_among_them():
    assert {"SagasStuck", "DeadLetters", "OutboxNotDraining"} <= {rule["alert"] for rule in ALERTS}
