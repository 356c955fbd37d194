"""The benchmark runs, has figures of every variant, and each tier executed what it stands for.

No test here looks at times.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = {
    "stock", "tier0", "tier1", "tier2", "c-held", "c-released", "stock-line", "tier2-line"
}  # fmt: skip
FOREIGN = {"ctypes", "cffi"}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    output = tmp_path_factory.mktemp("bench") / "bench.json"
    subprocess.run(
        [sys.executable, ROOT / "benches" / "bench.py", "--quick", "--shapes", "GLib.DateTime.*",
         "--json", output],
        check=True, timeout=240, capture_output=True,
    )  # fmt: skip
    return json.loads(output.read_text())


def test_every_variant_has_figures(result):
    assert result["failures"] == {}
    assert len(result["shapes"]) >= 5
    for shape in result["shapes"]:
        assert VARIANTS <= shape["ns"].keys() <= VARIANTS | FOREIGN, shape["name"]
        assert all(figure["iqr"] >= 0 for figure in shape["ns"].values())
    assert any(shape["ns"].keys() >= FOREIGN for shape in result["shapes"])


def test_each_forced_tier_executed_the_calls(result):
    for shape in result["shapes"]:
        assert shape["executed"] == {tier: tier for tier in ("tier0", "tier1", "tier2")}, shape
        assert shape["lock"] in ("held", "released")


def test_the_means_cover_all_calls(result):
    assert "stock/tier2 as written" in result["means"]
    for means in result["means"].values():
        assert means["calls"] == len(result["shapes"])


def test_the_table_is_long_and_its_names_are_distinct():
    sys.path.insert(0, str(ROOT / "benches"))
    from shapes import SHAPES

    names = [shape.name for shape in SHAPES]
    assert len(names) >= 60
    assert len(set(names)) == len(names)
