"""Fetches PyGObject's own test suite and builds the libraries that it needs.

The source distribution comes through pip, once, into `build/pygobject-tests/VERSION/`. Beside it,
in `lib/`, this builds Regress and GIMarshallingTests (from the sources that Debian's package
gobject-introspection installs, plus PyGObject's own `*extra.c` files; from 3.52 on PyGObject brings
the sources of all), the `testhelper` extension
module and the compiled settings schema, and GijitUnusual, a library of the corpus. Everything is
kept, so that a second run costs nothing.

A version that is not the installed one is built from source with pip, into a virtual environment
of its own (`venv/`), together with the wheel of gijit that `make wheel` has left in `dist/`. The
suites of versions that are built with meson look for what belongs to them beside the `gi` that they
import, so that they run in such an environment only.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "pygobject-tests"
INTROSPECTION_TESTS = Path("/usr/share/gobject-introspection-1.0/tests")
HELPER_SOURCES = ["testhelpermodule.c", "test-floating.c", "test-thread.c", "test-unknown.c"]


class Library(NamedTuple):
    """A library of tests, and what its typelib is made with."""

    namespace: str
    symbol_prefix: str
    packages: list
    includes: list
    more_files: tuple = ()


LIBRARIES = {
    "gimarshallingtests": Library(
        "GIMarshallingTests", "gi_marshalling_tests", ["glib-2.0", "gio-2.0"], ["Gio-2.0"]
    ),
    "regress": Library(
        "Regress", "regress", ["glib-2.0", "gio-2.0", "cairo", "cairo-gobject"],
        ["Gio-2.0", "cairo-1.0"],
    ),
}  # fmt: skip
# The same in the collection that PyGObject from 3.52 on brings along.
COLLECTION = {
    "utility": Library("Utility", "utility", ["glib-2.0", "gobject-2.0"], ["GObject-2.0"]),
    "gimarshallingtests": LIBRARIES["gimarshallingtests"],
    "regress": LIBRARIES["regress"]._replace(
        includes=["Gio-2.0", "cairo-1.0", "Utility-1.0"],
        more_files=("annotation", "drawable", "foo"),
    ),
}


# What builds PyGObject, and what its tests need; the versions are pinned with the other tools.
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


UNUSUAL = ROOT / "tests" / "unusual"

# Makes the assertions of the test libraries lenient.
LENIENT = ROOT / "tests" / "corpus" / "lenient.h"


class Suite:
    """Where one version of the suite and its libraries lie, and the Python that runs it."""

    def __init__(self, version):
        self.version = version
        self.base = BUILD / version
        self.source = self.base / f"PyGObject-{version}"
        self.tests = self.source / "tests"
        self.lib = self.base / "lib"
        collection = self.source / "subprojects" / "gobject-introspection-tests"
        shared = as_numbers(version) < (3, 52)
        self.libraries = LIBRARIES if shared else COLLECTION
        # Where the sources of the libraries are, and PyGObject's additions to them.
        self.library_sources = (INTROSPECTION_TESTS, self.tests) if shared else (collection,) * 2
        self.installed = version == installed_version()
        self.built_with_meson = built_with_meson(version)
        self.venv = self.base / "venv"
        self.python = sys.executable if self.installed else self.venv / "bin" / "python"
        # Newer suites have relative imports and no package: pytest makes the names up.
        self.pytest_options = ["--import-mode=importlib"] if self.built_with_meson else []

    def environment(self, lenient=False):
        """The variables with which both namespaces are found."""
        return {
            "TESTS_BUILDDIR": str(self.lib),
            "LD_LIBRARY_PATH": str(self.base / "lenient" if lenient else self.lib),
            "GI_TYPELIB_PATH": str(self.lib),
            "GSETTINGS_SCHEMA_DIR": str(self.lib),
        }


def installed_version():
    """The version of the PyGObject that this interpreter imports, as text."""
    import gi

    return ".".join(map(str, gi.version_info))


def as_numbers(version):
    return tuple(map(int, version.split(".")))


def record(name):
    """The file `name` of what is so with the installed PyGObject and the libraries beside it: what
    stock does not survive, what leaks, how much is rejected. 3.42.2 is that of Debian 12, 3.50.0
    that of Debian 13."""
    return ROOT / "tests" / "records" / installed_version() / name


def built_with_meson(version):
    """Whether the source distribution of `version` names meson-python as what builds it."""
    return as_numbers(version) >= (3, 48)


def prepare(version=None):
    """Makes the suite of `version` (default: the installed PyGObject's) ready; returns a Suite."""
    with _alone():
        suite = _prepare_suite(version)
        _build_unusual(suite)
        if not suite.installed:
            _install_wheel(suite)
    return suite


@contextlib.contextmanager
def _alone():
    """While no other process builds."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare_suite(version):
    suite = Suite(version or installed_version())
    stamp = suite.base / "complete"
    if not stamp.exists():
        shutil.rmtree(suite.base, ignore_errors=True)
        suite.lib.mkdir(parents=True)
        if suite.built_with_meson:
            _make_venv(suite)
        _fetch(suite)
        for library in suite.libraries:
            _build_library(suite, library)
        if not suite.installed:
            _build_pygobject(suite)
        _build_helper(suite)
        # The tests put the source tree on sys.path. What they import must be the installed
        # PyGObject, not this copy of its Python files.
        for package in ("gi", "pygtkcompat"):
            if (suite.source / package).exists():
                (suite.source / package).rename(suite.source / f"{package}-not-imported")
        _run("glib-compile-schemas", f"--targetdir={suite.lib}", suite.tests)
        stamp.touch()
    return suite


def _build_unusual(suite):
    """Builds GijitUnusual, when there is none of these sources."""
    sources = [UNUSUAL / "unusual.c", UNUSUAL / "GijitUnusual-1.0.gir"]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    stamp = suite.lib / "unusual.stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    code, gir = sources
    options = [*_pkg_config("--cflags", ["glib-2.0"]), "-o", suite.lib / "libgijitunusual.so"]
    _run(
        "gcc", "-shared", "-fPIC", "-O1", "-g", code, *options, *_pkg_config("--libs", ["glib-2.0"])
    )
    _run("g-ir-compiler", gir, f"--output={suite.lib / gir.stem}.typelib")
    stamp.write_text(digest)


def prepare_lenient(suite):
    """Builds both libraries once more, with assertions that report and return."""
    folder = suite.base / "lenient"
    stamp = folder / "lenient.h"
    with _alone():
        if stamp.exists() and stamp.read_bytes() == LENIENT.read_bytes():
            return
        folder.mkdir(exist_ok=True)
        for library in suite.libraries:
            print(f"building the lenient {library}", flush=True)
            _compile(suite, library, folder, "-include", LENIENT)
        shutil.copy(LENIENT, stamp)


def _fetch(suite):
    requirement = f"PyGObject=={suite.version}"
    print(f"fetching the source distribution of {requirement}", flush=True)
    # Only pygobject is built from source, and without isolation, so that pip reads its metadata
    # with what is there (in the environment) instead of building a tool chain for it first.
    _run(
        *_pip(suite, "download"), "--no-deps", "--no-build-isolation", "--no-binary", "pygobject",
        "-d", suite.base, requirement,
    )  # fmt: skip
    (archive,) = suite.base.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(suite.base)
    (unpacked,) = [path for path in suite.base.iterdir() if (path / "PKG-INFO").exists()]
    if unpacked != suite.source:
        unpacked.rename(suite.source)


def _make_venv(suite):
    _run("/usr/bin/python3", "-m", "venv", suite.venv)
    _run(*_pip(suite, "install"), "-r", REQUIREMENTS)


def _build_pygobject(suite):
    print(f"building PyGObject {suite.version} in an environment of its own", flush=True)
    (archive,) = suite.base.glob("*.tar.gz")
    _run(*_pip(suite, "install"), "--no-deps", "--no-build-isolation", archive)
    # The suite looks for what belongs to it in a folder beside the `gi` that it imports.
    _site_packages(suite).joinpath("tests").symlink_to(suite.lib)


def _pip(suite, command):
    # The tools that pip runs are in the environment, too.
    path = f"{suite.venv / 'bin'}:{os.environ['PATH']}"
    python = suite.venv / "bin" / "python" if suite.built_with_meson else sys.executable
    pip = ["env", f"PATH={path}", python, "-m", "pip", command]
    return [*pip, "-q", "--disable-pip-version-check"]


def _site_packages(suite):
    (found,) = suite.venv.glob("lib/python*/site-packages")
    return found


def _install_wheel(suite):
    """Has the environment hold the gijit of `dist/`."""
    wheels = list((ROOT / "dist").glob("gijit-*.whl"))
    if len(wheels) != 1:
        sys.exit("there is no wheel in dist/: run `make wheel` first")
    digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    stamp = suite.venv / "gijit.stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    _run(*_pip(suite, "install"), "--no-deps", "--no-index", "--force-reinstall", wheels[0])
    stamp.write_text(digest)


def _compile(suite, library, folder, *options):
    """Compiles one library into `folder`; returns its sources, headers and include options."""
    packages = suite.libraries[library].packages
    own, additional = suite.library_sources
    stems = [own / name for name in (library, *suite.libraries[library].more_files)]
    if (additional / f"{library}extra.c").exists():
        stems.append(additional / f"{library}extra")
    sources = [f"{stem}.c" for stem in stems]
    headers = [f"{stem}.h" for stem in stems]
    includes = [f"-I{own}", f"-I{additional}"]
    _run(
        "gcc", "-shared", "-fPIC", "-O1", "-g", "-w", *includes, *_pkg_config("--cflags", packages),
        "-DGI_TEST_EXTERN=extern",
        *options, "-o", folder / f"lib{library}.so", *sources, *_pkg_config("--libs", packages),
    )  # fmt: skip
    return sources, headers, includes


def _build_library(suite, library):
    namespace, symbol_prefix, packages, included, _ = suite.libraries[library]
    print(f"building {namespace}", flush=True)
    sources, headers, includes = _compile(suite, library, suite.lib)
    gir = suite.lib / f"{namespace}-1.0.gir"
    _run(
        "g-ir-scanner", "--no-libtool", "--quiet", *[f"--include={name}" for name in included],
        f"--namespace={namespace}", "--nsversion=1.0", f"--symbol-prefix={symbol_prefix}",
        f"--add-include-path={suite.lib}",
        f"--library-path={suite.lib}", f"-L{suite.lib}", f"--library={library}",
        *[f"--pkg={package}" for package in packages],
        "--cflags-begin", *includes, "-DGI_TEST_EXTERN=extern", "--cflags-end",
        f"--output={gir}", *sources, *headers,
    )  # fmt: skip
    _run(
        "g-ir-compiler", f"--includedir={suite.lib}", gir,
        f"--output={gir.with_suffix('.typelib')}",
    )  # fmt: skip


def _build_helper(suite):
    print("building testhelper", flush=True)
    packages = ["glib-2.0", "gio-2.0"]
    # Newer suites say `import testhelper` and look in the folder of the libraries. Older ones say
    # `from tests import testhelper`: the package `tests` extends its path over sys.path, where the
    # suite itself puts the folder above TESTS_BUILDDIR; inside the source tree is simplest.
    folder = suite.tests if (suite.tests / "__init__.py").exists() else suite.lib
    target = folder / ("testhelper" + sysconfig.get_config_var("EXT_SUFFIX"))
    _run(
        "gcc", "-shared", "-fPIC", "-O1", "-g", "-w", "-DPY_SSIZE_T_CLEAN",
        f"-I{suite.source / 'gi'}", f"-I{suite.source / 'subprojects' / 'pythoncapi-compat'}",
        f"-I{suite.tests}", f"-I{sysconfig.get_path('include')}",
        *_pkg_config("--cflags", packages), "-o", target,
        *[suite.tests / source for source in HELPER_SOURCES], *_pkg_config("--libs", packages),
    )  # fmt: skip


def _pkg_config(what, packages):
    return subprocess.check_output(["pkg-config", what, *packages], text=True).split()


def _run(*command):
    """Runs a command quietly; a failure shows the command and all that it printed."""
    result = subprocess.run(
        [os.fspath(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # The scanner compiles a small program of its own, with the compiler that CC names.
        env={**os.environ, "CC": "gcc"},
        timeout=600,
    )
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}\nexit status {result.returncode}")


if __name__ == "__main__":
    print(prepare(sys.argv[1] if len(sys.argv) > 1 else None).base)
