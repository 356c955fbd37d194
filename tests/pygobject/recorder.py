"""A pytest plugin that writes the outcome of every test as it happens, one JSON object a line.

Written line by line, the file survives a crash: a test that has a "start" and no outcome is the one
that crashed. Started again with the same file, the plugin leaves out the tests that are in it.

Lines: {"start": id}, {"id": id, "outcome": word, "text": why} and, at the end, gijit's figures:
{"stats": {...}, "rejected": {...}}.
"""

import json
import os

_FILE = os.environ["GIJIT_SUITE_RESULTS"]
_outcomes = {}


def _write(**record):
    with open(_FILE, "a") as file:
        file.write(json.dumps(record) + "\n")


def pytest_collection_modifyitems(config, items):
    if not os.path.exists(_FILE):
        return
    with open(_FILE) as file:
        seen = {json.loads(line).get("start") for line in file}
    done = [item for item in items if item.nodeid in seen]
    items[:] = [item for item in items if item.nodeid not in seen]
    config.hook.pytest_deselected(items=done)


def pytest_runtest_logstart(nodeid, location):
    _write(start=nodeid)


def pytest_runtest_logreport(report):
    if hasattr(report, "wasxfail"):
        outcome = "xfailed" if report.skipped else "xpassed"
    elif report.failed and report.when != "call":
        outcome = "error"
    elif report.when == "call" or not report.passed:
        outcome = report.outcome
    else:
        return
    # An error at teardown replaces the outcome of the call.
    text = report.longreprtext if report.failed else ""
    _outcomes[report.nodeid] = (outcome, text)


def pytest_runtest_logfinish(nodeid, location):
    outcome, text = _outcomes[nodeid]
    _write(id=nodeid, outcome=outcome, text=text)


def pytest_sessionfinish(session):
    if os.environ["GIJIT"] == "1":
        import gijit

        _write(stats=gijit.stats(), rejected=gijit.rejections())
