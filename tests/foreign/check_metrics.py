"""Reads a page of metrics as Prometheus's own client does, and prints each sample: name, labels, value."""

import json
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

answer = urllib.request.urlopen(sys.argv[1])
kind = answer.headers["Content-Type"]
assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
families = list(text_string_to_metric_families(answer.read().decode()))
assert families, "the page is empty"
seen = set()
for family in families:
    assert family.name not in seen, f"{family.name} stands there twice"
    seen.add(family.name)
    assert family.type in ("counter", "gauge"), f"{family.name} has no type"
    assert family.documentation, f"{family.name} has no help"
    assert family.samples, f"{family.name} has no samples"
    for sample in family.samples:
        assert sample.name.startswith("boss_ingest_") and "job" in sample.labels, sample
        assert sample.value >= 0, sample
        if family.type == "counter":
            assert sample.name.endswith("_total"), f"{sample.name} is a counter"
        print(json.dumps([sample.name, sample.labels, sample.value]))
