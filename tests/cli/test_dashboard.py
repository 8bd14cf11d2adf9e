"""The dashboard and the alerts in share/: expressions that Prometheus takes, on metrics that netkit has."""

import json
import os
import pathlib
import re
import subprocess
import urllib.request

SHARE = pathlib.Path(os.environ["NETKIT_SOURCE"]) / "share"
SOURCES = [("echo", "serve", "127.0.0.1:0"), ("chat", "serve", "127.0.0.1:0"), ("push", "serve", "127.0.0.1:0"),
           ("sse", "serve", "127.0.0.1:0", "--every", "1h"), ("frame", "serve", "127.0.0.1:0"),
           ("broadcast", "listen", "127.0.0.1:0"), ("echo", "ping", "127.0.0.1:9", "-i", "1h")]


def expressions():
    """Those of the dashboard, with what Grafana puts in."""
    panels = json.loads((SHARE / "grafana.json").read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [one.replace("$__rate_interval", "1m").replace("$instance", ".*") for one in found]


def check_rules(path):
    return subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, timeout=60, check=False)


def test_prometheus_takes_the_alerts():
    done = check_rules(SHARE / "alerts.yml")
    assert done.returncode == 0 and "SUCCESS: 7 rules" in done.stdout, done


def test_prometheus_takes_each_expression_of_the_dashboard(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(expressions())]
    assert len(rules) > 20
    path = tmp_path / "rules.json"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = check_rules(path)
    assert done.returncode == 0, done


def test_netkit_has_each_metric_of_both(netkit):
    declared = set()
    for words in SOURCES:
        process = netkit.start(*words, "--metrics", "127.0.0.1:0")
        url = process.err.expect(rb"metrics on (http://\S+)\n").group(1).decode()
        text = urllib.request.urlopen(url, timeout=20).read().decode()
        declared |= {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    used = re.findall(r"\b((?:netkit|process)_\w+)", " ".join([*expressions(), (SHARE / "alerts.yml").read_text()]))
    assert "netkit_ping_rtt_seconds_bucket" in used and not set(used) - declared


def test_no_two_panels_stand_in_one_place():
    taken = set()
    for panel in json.loads((SHARE / "grafana.json").read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
