"""A corpus of calls, run on stock PyGObject and on every tier, whose behaviour must not differ.

`cases` says what a case is; the modules named in `cases.GROUPS` list them by theme. `observe` turns
what a call did into plain data. `child` is the process that runs the corpus once; `driver` starts
children in each mode and compares what they saw.
"""
