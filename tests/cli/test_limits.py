"""``krakenasync limits``."""

import json

from krakenasync.cli import main


def test_the_tiers_counters_are_shown(capsys):
    """Caps and decays are the tier's, also for counters that were not used yet; no key is needed."""
    assert main(["limits", "--sandbox", "--tier", "pro", "--json"]) == 0
    rows = {row["counter"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (rows["rest"]["cap"], rows["rest"]["decay/s"]) == ("20", "1")
    assert rows["engine, per pair"]["cap"] == "180"
    assert main(["limits", "--json"]) == 0
    rows = {row["counter"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["rest"]["cap"] == "15"
