"""PyGObject's own test suites have the same outcomes under gijit, in every mode, as on stock."""

import pytest

import build
import run as suite_runner
from modes import MODES

# The combinations of PyGObject and GTK, and what of each suite stock passes with what the set-up
# script installs. Fewer would mean that whole files did not run.
COMBINATIONS = {
    ("3.42.2", "3.0"): 1400,
    ("3.42.2", "4.0"): 1300,
    ("3.50.2", "3.0"): 1550,
    ("3.50.2", "4.0"): 1350,
}
# Versions of before meson-python run where they are installed.
HERE = [
    (version, gtk)
    for version, gtk in COMBINATIONS
    if version == build.installed_version() or build.built_with_meson(version)
]


@pytest.fixture(scope="module")
def stock():
    """Runs stock once for each combination: (version, gtk) -> (Suite, Run)."""
    done = {}

    def run(version, gtk):
        if (version, gtk) not in done:
            suite = build.prepare(version)
            done[version, gtk] = suite, suite_runner.run_suite(suite, "stock", gtk)
        return done[version, gtk]

    return run


@pytest.mark.parametrize(("version", "gtk"), HERE)
def test_stock_runs_the_whole_suite(stock, version, gtk):
    _, run = stock(version, gtk)
    print(run.counts())
    passed = sum(outcome == "passed" for outcome in run.outcomes.values())
    assert passed >= COMBINATIONS[version, gtk], run.counts()


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize(("version", "gtk"), HERE)
def test_outcomes_are_those_of_stock(stock, version, gtk, mode):
    suite, run = stock(version, gtk)
    _, wrong = suite_runner.compare(suite, run, mode, gtk)
    assert not wrong, "\n".join(wrong)
