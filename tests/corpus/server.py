"""Makes calls on request: one JSON object a line on standard input, one answer a line on standard
output. This is the other end of `tests/python/test_property.py`.

    {"callable": n, "args": [value...], "named": k}    the last k arguments are given by name

A value is ["pool", i] (of the argument's pool), or it is spelled out, see `decode`. The answer is
what the call did, as in the results of `child.py`. The first line says what callables there are.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from corpus import child, generated

SPELLED = {
    "int": int, "float": float, "bytes": bytes.fromhex, "str": str, "bool": bool,
    "none": lambda _: None,
}  # fmt: skip


def decode(value, pool):
    """The value that a list such as ["int", "5"] or ["list", [...]] stands for."""
    kind, *rest = value
    if kind == "pool":
        # A callable takes more arguments than it has pools for: these are too many anyway.
        return pool[rest[0] % len(pool)][1] if pool else None
    if kind in ("list", "tuple", "dict"):
        items = [decode(item, pool) for item in rest[0]]
        if kind == "dict":
            return dict(zip(items[::2], items[1::2], strict=True))
        return items if kind == "list" else tuple(items)
    return SPELLED[kind](rest[0])


def answer(callables, request, stderr):
    callable = callables[request["callable"]]
    pools = [pool for _, pool in callable.parameters]
    pools += [None] * (len(request["args"]) - len(pools))
    values = [decode(value, pool) for value, pool in zip(request["args"], pools, strict=False)]
    positional = len(values) - min(request["named"], len(callable.parameters), len(values))
    names = [name for name, _ in callable.parameters][positional : len(values)]
    kwargs = dict(zip(names, values[positional:], strict=False))
    args = tuple(values[:positional])
    call = generated.Call(callable.path, callable.path, callable.owner, callable.name, args, kwargs)
    return child.run_call(call, stderr)[0]


def main():
    # What C code prints to standard output must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    stderr = child.Stderr()
    callables = list(generated.callables())
    catalogue = [
        [callable.path, [len(pool) for _, pool in callable.parameters]] for callable in callables
    ]
    print(json.dumps(catalogue), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(callables, json.loads(line), stderr)), file=answers, flush=True)


if __name__ == "__main__":
    main()
