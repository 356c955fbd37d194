"""Runs both corpora with the extension module under AddressSanitizer, on tiers 0 and 1.

    .venv/bin/python tests/memcheck/asan.py [MODE...]

Builds the extension once more, in `target/asan/`, with the compiler of the stable toolchain and its
unstable option for sanitizers. Python is not instrumented, so gcc's runtime library is loaded
before it. Python and GLib take each block from malloc. The machine code that gijit makes and the
LLVM tier are not instrumented, so tier 2 would add nothing: its helpers are those of tier 1. Leaks
are not looked for (`tests/python/test_leaks.py`).
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "pygobject")]
import build
from corpus import driver
from left_out import left_out
from modes import environment

TARGET = "x86_64-unknown-linux-gnu"
FOLDER = build.ROOT / "target" / "asan"
INSTRUMENT = {
    "RUSTC_BOOTSTRAP": "1",
    "RUSTFLAGS": "-Zsanitizer=address -Cforce-frame-pointers=yes",
    "CARGO_TARGET_DIR": str(FOLDER),
    "PYO3_PYTHON": sys.executable,
}


def package():
    """Builds the package with the instrumented extension; returns the folder that it is in."""
    command = ["cargo", "build", "--locked", "--release", "-p", "gijit-python"]
    # With a target named, build scripts and macros are not instrumented.
    subprocess.run(
        [*command, "--target", TARGET], cwd=build.ROOT, env={**os.environ, **INSTRUMENT}, check=True
    )
    packages = FOLDER / "packages"
    shutil.rmtree(packages, ignore_errors=True)
    shutil.copytree(build.ROOT / "python" / "gijit", packages / "gijit")
    module = "_gijit" + sysconfig.get_config_var("EXT_SUFFIX")
    shutil.copy(FOLDER / TARGET / "release" / "lib_gijit.so", packages / "gijit" / module)
    return packages


def runtime():
    """The path of the runtime library."""
    command = ["gcc", "-print-file-name=libasan.so"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run(suite, packages, mode, corpus):
    """Runs a corpus to its end and prints how it went; whether that was without an error."""
    results = suite.base / "results" / f"asan-{corpus}-{mode}.jsonl"
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    log = results.with_suffix(".log")
    for report in log.parent.glob(f"{log.name}.*"):
        report.unlink()
    is_generated = corpus == "generated"
    env = {**environment(mode), **suite.environment(lenient=is_generated), "G_MESSAGES_DEBUG": ""}
    env |= {"PYTHONMALLOC": "malloc", "G_SLICE": "always-malloc"}
    env |= {"PYTHONPATH": str(packages), "LD_PRELOAD": runtime()}
    env["ASAN_OPTIONS"] = f"detect_leaks=0:log_path={log}"
    command = [sys.executable, TESTS / "corpus" / "child.py", results]
    command += [left_out(results)] if is_generated else []
    ended = subprocess.run(command, env=env)
    seen = driver.Seen(mode)
    complete = driver.read(results, seen)
    status = f"exit status {ended.returncode}; reports in {log}.*"
    print(f"{corpus}, {mode}: {len(seen.cases)} cases, calls {seen.total()}, {status}", flush=True)
    enough = seen.share() >= driver.recorded_share(corpus, mode)
    return complete and enough and ended.returncode == 0


def main(modes):
    suite, packages = build.prepare(), package()
    build.prepare_lenient(suite)
    modes = modes or ("tier0", "tier1")
    good = [run(suite, packages, mode, corpus) for corpus in driver.CORPORA for mode in modes]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
