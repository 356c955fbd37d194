"""What of the generated corpus is not called under memcheck and AddressSanitizer."""

import json

from corpus import driver

# PyGObject frees what the callee has freed, when it calls these with values that no tier takes;
# stock does as well.
FREED_TWICE = (
    "array_zero_terminated_inout", "garray_utf8_none_inout", "glist_utf8_none_inout",
    "gptrarray_utf8_none_inout", "gslist_utf8_none_inout", "gstrv_inout",
)  # fmt: skip


def left_out(results):
    """A file with what is not called of the generated corpus, as `child.py` takes it."""
    skipped = json.loads(driver.SKIPPED.read_text())
    skipped |= {f"GIMarshallingTests.{name}": "frees twice" for name in FREED_TWICE}
    path = results.with_suffix(".json")
    path.write_text(json.dumps(skipped))
    return path
