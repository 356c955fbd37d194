"""Random calls behave in every tier as on stock: random callables of the test libraries, with
random arguments out of their pools and spelled out, some by name, too few or too many.

The examples are the same in every run; `GIJIT_PROPERTY_EXAMPLES=N` tries N others. A failure shows
the smallest call that differs, and its plan.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import build
from corpus import driver
from modes import FORCED, environment

SERVER = Path(driver.HERE) / "server.py"
OTHERS = (*FORCED, "warm")
EXAMPLES = int(os.environ.get("GIJIT_PROPERTY_EXAMPLES", "0"))


class Peer:
    """A process that makes calls in one mode. It is started anew after a call that ended it."""

    def __init__(self, suite, mode):
        self.env = {**environment(mode), **suite.environment(lenient=True), "G_MESSAGES_DEBUG": ""}
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, SERVER], env=self.env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return json.loads(self.process.stdout.readline())

    def ask(self, request):
        """What the call did, or None when the process did not survive it."""
        if self.process is None:
            self.start()
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.stop()
            return None
        return json.loads(line)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@pytest.fixture(scope="module")
def peers():
    suite = build.prepare()
    build.prepare_lenient(suite)
    peers = {mode: Peer(suite, mode) for mode in ("stock", *OTHERS)}
    yield peers
    for peer in peers.values():
        peer.stop()


@pytest.fixture(scope="module")
def catalogue(peers):
    """(number, path, sizes of the pools) of the callables that stock survives."""
    everything = peers["stock"].start()
    out = {
        id.removeprefix("unbound ").partition("(")[0]
        for id in json.loads(driver.SKIPPED.read_text())
    }
    return [(n, path, sizes) for n, (path, sizes) in enumerate(everything) if path not in out]


PLAIN = st.one_of(
    st.integers(-(1 << 70), 1 << 70).map(lambda number: ["int", str(number)]),
    st.integers(-300, 300).map(lambda number: ["int", str(number)]),
    st.floats().map(lambda number: ["float", repr(number)]),
    st.text().map(lambda text: ["str", text]),
    st.binary().map(lambda data: ["bytes", data.hex()]),
    st.booleans().map(lambda truth: ["bool", truth]),
    st.just(["none", 0]),
)
SPELLED_OUT = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5).map(lambda items: ["list", items]),
        st.lists(inner, max_size=3).map(lambda items: ["tuple", items]),
        st.lists(st.tuples(PLAIN, inner), max_size=3).map(
            lambda pairs: ["dict", [value for pair in pairs for value in pair]]
        ),
    ),
    max_leaves=8,
)


@st.composite
def requests(draw, catalogue):
    number, _, sizes = draw(st.sampled_from(catalogue))
    values = [
        draw(st.one_of(st.integers(0, size - 1).map(lambda i: ["pool", i]), SPELLED_OUT))
        for size in sizes
    ]
    if draw(st.integers(0, 9)) == 0:
        values = draw(st.sampled_from([values[:-1], [*values, ["none", 0]]]))
    return {"callable": number, "args": values, "named": draw(st.integers(0, 2))}


def difference(peers, request):
    """How the tiers' answers differ from stock's, as text; empty when they do not."""
    expected = peers["stock"].ask(request)
    if expected is None:
        return ""
    answers = {mode: peers[mode].ask(request) for mode in OTHERS}
    return "".join(
        f"{mode}: {json.dumps(found)}\nstock: {json.dumps(expected)}\n"
        for mode, found in answers.items()
        if found != expected
    )


def plan(peers, path):
    """What gijit makes of the callable called `path`."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "gijit", "explain", path, "--stage", "plan"],
        env=peers["tier0"].env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout or done.stderr


def test_random_calls_behave_as_on_stock(peers, catalogue):
    names = {number: path for number, path, _ in catalogue}

    @settings(
        max_examples=EXAMPLES or 400, derandomize=not EXAMPLES, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(request=requests(catalogue))
    def check(request):
        differs = difference(peers, request)
        if differs:
            # Some functions remember earlier calls, and a peer that was started anew has seen
            # fewer of them than the others.
            for peer in peers.values():
                peer.stop()
            differs = difference(peers, request)
        path = names[request["callable"]]
        assert not differs, f"{path}\n{request}\n{differs}\n{plan(peers, path)}"

    check()
