"""``python -m gijit bench``: the table, what executed the calls, and calls that cannot be measured.

No test here looks at times.
"""

import json

import pytest
from test_embed import execute

pytest.importorskip("gi")


def bench(*arguments):
    return execute(["-m", "gijit", "bench", "--rounds", "1", *arguments])


def test_statements_of_the_command_line():
    done = bench("--json", "GLib.strcmp0('a', 'b')", "print(GLib.main_depth())")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["calls"]
    assert [row["call"] for row in rows] == ["GLib.strcmp0('a', 'b')", "print(GLib.main_depth())"]
    for row in rows:
        assert row["executed"] == {tier: tier for tier in ("tier0", "tier1", "tier2")}
        assert all(row[mode] >= 0 for mode in ("stock", "tier0", "tier1", "tier2"))


def test_the_table_has_set_up_code_and_marks_what_fell_back():
    setup = "from contextlib import suppress; from gi.repository import Gio"
    done = bench("--setup", setup, "with suppress(Exception): Gio.IOModule.query()")
    assert done.returncode == 0, done.stderr
    assert "*" in done.stdout and "PyGObject itself" in done.stdout


@pytest.mark.parametrize(
    "statement, message",
    [("GLib.strcmp()", "AttributeError"), ("1 +", "SyntaxError"), ("undefined", "NameError")],
)
def test_what_cannot_be_measured(statement, message):
    done = bench(statement)
    assert done.returncode == 1
    assert done.stderr.startswith(f"gijit: {statement}: {message}: ")
    assert done.stdout == ""


def test_rounds_are_a_number():
    done = execute(["-m", "gijit", "bench", "--rounds", "none", "1"])
    assert done.returncode == 2
    assert "'none' is no number from 1 on" in done.stderr
