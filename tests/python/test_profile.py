"""GIJIT_PROFILE: what was hot in one run is compiled at the first call of the next."""

import json
import os
import subprocess
import sys

import pytest
from test_embed import SYNC, execute

pytest.importorskip("gi")

HOT = """
import gijit
from gi.repository import Gio, GLib
file = Gio.File.new_for_path("/a/b")
for _ in range(3):
    for _ in range(3000): file.get_basename(); GLib.ascii_strdown("AB", 2)
    gijit.flush()
for index in range(200): GLib.strcmp0("a" if index % 2 else None, "b")
gijit.flush()
"""
ONCE = """
import gijit
from gi.repository import Gio, GLib
file = Gio.File.new_for_path("/a/b")
print(gijit.tier(file.get_basename), file.get_basename(), GLib.strcmp0("a", "b"))
GLib.ascii_strup("a", 1)
gijit.flush()
print(*map(gijit.tier, (file.get_basename, GLib.strcmp0, GLib.ascii_strup)))
print([GLib.strcmp0(value, "b") for value in ("a", None, "c")], file.get_basename())
print(gijit.stats()["deopts"])
"""


def run(code, profile, **variables):
    variables = {"GIJIT_TIER2_CALLS": "2000", **variables}
    done = execute(["-c", code], GIJIT="1", GIJIT_PROFILE=str(profile), **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize("variables", [{}, SYNC])
def test_compiled_after_the_first_call(tmp_path, variables):
    profile = tmp_path / "hot.json"
    assert run(HOT, profile) == ([], [])
    saved = json.loads(profile.read_text())["callables"]
    assert saved["Gio.File.get_basename"]["tier"] == 2
    assert saved["GLib.strcmp0"]["tier"] == 1
    assert saved["GLib.strcmp0"]["arguments"][0]["types"] == ["NoneType", "str"]
    assert "Gio.File.new_for_path" not in saved
    shown, said = run(ONCE, profile, **variables)
    # An argument that had two types is not speculated on, so nothing deopts.
    assert shown == ["0 b -1", "2 1 0", "[-1, -1, 1] b", "0"] and said == []
    # A run in which little is called loses nothing.
    assert set(json.loads(profile.read_text())["callables"]) >= set(saved)
    assert [path.name for path in tmp_path.iterdir()] == ["hot.json"]


def test_the_highest_tier_holds(tmp_path):
    profile = tmp_path / "hot.json"
    run(HOT, profile)
    shown, _ = run(ONCE, profile, GIJIT_MAX_TIER="1")
    assert shown[1] == "1 1 0"


@pytest.mark.parametrize(
    ("text", "why", "stays"),
    [
        ("a letter", "it is no profile of gijit's and is left as it is", True),
        ('{"gijit_profile":1,"gijit":"0.0.1","callables":{}}', "made by gijit 0.0.1", False),
        ('{"gijit_profile":1,"gij', "it is broken: ", False),
    ],
)
def test_a_file_of_no_use_is_one_line(tmp_path, text, why, stays):
    profile = tmp_path / "hot.json"
    profile.write_text(text)
    shown, said = run(HOT + "print('done')", profile)
    assert shown == ["done"]
    (line,) = said
    assert line.startswith(f"gijit: GIJIT_PROFILE={profile}: ") and why in line
    assert (profile.read_text() == text) == stays


def test_a_file_that_cannot_be_written(tmp_path):
    _, said = run(HOT, tmp_path / "none" / "hot.json")
    (line,) = said
    assert line.startswith(f"gijit: GIJIT_PROFILE={tmp_path}/none/hot.json: cannot be written: ")


def test_what_is_no_file_is_left_alone(tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    for name in (fifo, tmp_path):
        _, said = run(HOT, name)
        assert said == [f"gijit: GIJIT_PROFILE={name}: it is no file"]
    assert fifo.is_fifo() and [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to("hot.json")
    for code in (HOT, ONCE):  # The link leads nowhere at first.
        run(code, tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert "Gio.File.get_basename" in (tmp_path / "hot.json").read_text()


def test_processes_that_end_one_after_the_other_keep_what_all_know(tmp_path):
    profile = tmp_path / "hot.json"
    hot = "from gi.repository import GLib\nimport gijit, sys\n"
    codes = [
        hot + f"for _ in range(300): GLib.{name}('AB', 2)\ngijit.flush()\n{wait}"
        for name, wait in (("ascii_strdown", "sys.stdin.read()"), ("ascii_strup", ""))
    ]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    env.update(GIJIT="1", GIJIT_PROFILE=str(profile), GIJIT_COMPILE="sync")
    first = subprocess.Popen([sys.executable, "-c", codes[0]], env=env, stdin=subprocess.PIPE)
    subprocess.run([sys.executable, "-c", codes[1]], env=env, timeout=120, check=True)
    first.communicate(timeout=120)
    assert set(json.loads(profile.read_text())["callables"]) == {
        "GLib.ascii_strdown",
        "GLib.ascii_strup",
    }


def test_the_program_may_change_its_directory(tmp_path):
    code = f"import os; os.chdir({str(tmp_path)!r})\n{HOT}os.chdir('/')"
    run(code, tmp_path / "hot.json")
    assert "Gio.File.get_basename" in json.loads((tmp_path / "hot.json").read_text())["callables"]
