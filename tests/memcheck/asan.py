"""Runs both corpora with the extension module under AddressSanitizer, on tiers 0 and 1.

    .venv/bin/python tests/memcheck/asan.py [MODE...]

Builds the extension once more, in `target/asan/`, with the compiler of the stable toolchain and its
unstable option for sanitizers. Python is not instrumented, so gcc's runtime library is loaded
before it. The machine code that gijit makes and the LLVM tier are not instrumented, so tier 2 would
add nothing: its helpers are those of tier 1. Leaks are not looked for
(`tests/python/test_leaks.py`).
"""

import os
import shutil
import subprocess
import sys
import sysconfig

import corpora
from corpora import build

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


def main(modes):
    packages, library = package(), runtime()

    def around(log):
        variables = {"PYTHONPATH": str(packages), "LD_PRELOAD": library}
        return (), {**variables, "ASAN_OPTIONS": f"detect_leaks=0:log_path={log}"}

    return 0 if corpora.run("asan", modes or ("tier0", "tier1"), around) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
