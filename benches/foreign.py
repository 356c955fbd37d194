"""Compiles the C extension, and makes the calls of `shapes` through ctypes and cffi.

What is compiled lies in build/benches/ and is made again when a source is newer. A declaration in
`shapes` is `RESULT(ARGUMENTS)`; the symbol is the C function's name with its library's prefix.
"""

import ctypes
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

from shapes import SHAPES

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "benches"
LIBRARY = "libgtk-3.so.0"
CTYPES = {
    "void": None,
    "gboolean": ctypes.c_int,
    "signed char": ctypes.c_byte,
    "unsigned char": ctypes.c_ubyte,
    "short": ctypes.c_short,
    "unsigned short": ctypes.c_ushort,
    "int": ctypes.c_int,
    "unsigned int": ctypes.c_uint,
    "long": ctypes.c_long,
    "unsigned long": ctypes.c_ulong,
    "double": ctypes.c_double,
    "const char *": ctypes.c_char_p,
    "void *": ctypes.c_void_p,
}


def types_of(shape):
    """The result's type and the arguments' types of a shape with a declaration."""
    result, arguments = shape.declaration.rstrip(")").split("(")
    return result, [name for name in arguments.split(", ") if name]


def symbol_of(shape):
    return ("gtk_" if shape.gtk else "g_") + shape.c


def statement_of(shape, text="f({}).decode()"):
    """The timed statement in ctypes and cffi: strings encoded and decoded, wrappers as addresses;
    `text` is how a string comes back."""
    result, types = types_of(shape)
    given = [part.strip() for part in shape.arguments.split(",")] if shape.arguments else []
    arguments = []
    for type_name, argument in zip(types, given, strict=True):
        if type_name == "const char *":
            argument += ".encode()"
        arguments.append(f"address_{argument}" if type_name == "void *" else argument)
    forms = {"const char *": text, "gboolean": "bool(f({}))"}
    return forms.get(result, "f({})").format(", ".join(arguments))


def address(wrapper):
    """The address that a wrapper of PyGObject holds: its first field after the object's head."""
    return ctypes.c_void_p.from_address(id(wrapper) + object.__basicsize__).value


def ctypes_function(shape, library):
    result, arguments = types_of(shape)
    function = getattr(library, symbol_of(shape))
    function.restype = CTYPES[result]
    function.argtypes = [CTYPES[name] for name in arguments]
    return function


def compiler(output, sources, *options):
    """Runs the C compiler on `sources` for an extension module."""
    include = f"-I{sysconfig.get_paths()['include']}"
    command = ["cc", "-O2", "-fPIC", "-shared", "-Wall", include, "-o", output, *sources, *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the C compiler failed:\n{done.stderr}")


def pkg_config(*packages):
    output = subprocess.check_output(["pkg-config", "--cflags", "--libs", *packages], text=True)
    return shlex.split(output)


def module_file(name):
    return BUILD / (name + sysconfig.get_config_var("EXT_SUFFIX"))


def build():
    """Compiles both variants of the C extension and the module of cffi."""
    BUILD.mkdir(parents=True, exist_ok=True)
    sources = sorted((HERE / "c").glob("*.c"))
    newest = max(path.stat().st_mtime for path in [*HERE.glob("*.py"), *(HERE / "c").iterdir()])
    for name, release in (("calls_held", 0), ("calls_released", 1)):
        if stale(module_file(name), newest):
            compiler(
                module_file(name), sources, "-std=gnu11",
                f"-DRELEASE_GIL={release}", f'-DMODULE_NAME="{name}"',
                f"-DMODULE_INIT=PyInit_{name}",
                *pkg_config("pygobject-3.0", "gio-2.0"), f"-l:{LIBRARY}",
            )  # fmt: skip
    if stale(module_file("calls_cffi"), newest):
        build_cffi()


def stale(path, newest):
    return not path.exists() or path.stat().st_mtime < newest


def build_cffi():
    import cffi

    declared = {}
    for shape in SHAPES:
        if shape.declaration:
            result, arguments = types_of(shape)
            declared[symbol_of(shape)] = (result, ", ".join(arguments) or "void")
    # The generated C uses the same words, which need no header of the libraries.
    text = "typedef int gboolean;\n" + "".join(
        f"extern {result} {symbol}({arguments});\n"
        for symbol, (result, arguments) in declared.items()
    )
    ffi = cffi.FFI()
    ffi.cdef(text)
    ffi.set_source("calls_cffi", text)
    source = BUILD / "calls_cffi.c"
    ffi.emit_c_code(str(source))
    # Functions that are not GTK's come from libraries that GTK needs.
    compiler(
        module_file("calls_cffi"), [source], "-w", *pkg_config("gio-2.0"), f"-l:{LIBRARY}"
    )  # fmt: skip
