"""Reading a trace, in either of its two forms, into what a report needs.

A record is a dict with the keys ``ts_us``, ``pid``, ``tid``, ``topic``, ``event`` and the event's
own fields, as in a line of ``GIJIT_TRACE_FORMAT=json``; a Chrome trace holds the same as ``args``.

Absent: how any of it is shown.
"""

import json


class NoTrace(ValueError):
    """The file is no trace of gijit's; the message says what it is instead."""


FIELDS = {
    "sampled": {"host": bool, "total_ns": int, "stands_for": int},
    "untimed": {"calls": int},
    "promoted": {"to": int},
    "withdrawn": {"to": int, "again": bool},
    "rejected": {"reason": str},
    "compiled": {"lower_us": int, "compile_us": int, "place_us": int, "bytes": int},
    "not compiled": {"reason": str},
    "lock decided": {"lock": str},
    "queued": {"length": int},
    "begun": {"length": int},
    "loaded": {"tier": int, "loaded_us": int, "resident_kib": int},
}
"""What the events that a report reads have, beside ``ts_us``, ``topic`` and ``event``."""
OWN_FIELDS = {"tier": int, "native_ns": int, "binding_ns": int}
"""What a ``sampled`` call has that was not made by PyGObject."""


def read(path):
    """The records of a file, in the order in which they happened.

    :raises NoTrace: when it is none.
    :raises OSError: when it cannot be read.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if text.startswith("gijit "):
        raise NoTrace("it is a trace in text; set GIJIT_TRACE_FORMAT=json or chrome for a report")
    try:
        records = _of_chrome(text) if text.lstrip().startswith("[") else _of_lines(text)
        for record in records:
            _check(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoTrace(f"it is no trace of gijit's ({error})") from error
    if not records:
        raise NoTrace("there is no event in it")
    return sorted(records, key=lambda record: record["ts_us"])


def _check(record):
    """An event may have more than a report reads, but not less."""
    wanted = {"ts_us": (int, float), "topic": str, "event": str, **FIELDS.get(record["event"], {})}
    if record["event"] == "sampled" and not record["host"]:
        wanted.update(OWN_FIELDS)
    if "callable" in record:
        wanted["callable"] = str
    for name, kind in wanted.items():
        if not isinstance(record.get(name), kind):
            raise ValueError(f"an event {record['event']!r} without a proper {name!r}")


def _of_lines(text):
    records = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        try:
            record = json.loads(line)
        except ValueError:
            # The process may have been killed while it wrote.
            if number == len(lines) - 1 and number:
                break
            raise ValueError(f"line {number + 1} is no event") from None
        if not isinstance(record, dict) or not {"ts_us", "topic", "event"} <= set(record):
            raise ValueError(f"line {number + 1} is no event")
        records.append(record)
    return records


def _of_chrome(text):
    try:
        events = json.loads(text)
    except ValueError:
        # The array of a process that wrote to a pipe stays open, and a file that was copied
        # meanwhile may be cut anywhere: each event is a line.
        lines = text.strip().splitlines()
        whole = lines if lines[-1].endswith((",", "}")) else lines[:-1]
        events = json.loads("\n".join(whole).rstrip(",\n ") + "]")
    records = []
    for event in events:
        fields = event.get("args", {})
        # Names of threads, steps of a compilation and counters have no event of their own.
        if event["ph"] != "M" and "event" in fields:
            moment = event["ts"] + event.get("dur", 0)
            known = {"ts_us": moment, "pid": event["pid"], "tid": event["tid"]}
            records.append({**known, "topic": event["cat"], **fields})
    return records


def analyse(records):
    """What a report shows of ``records``, as a dict of plain values."""
    start, end = records[0]["ts_us"], records[-1]["ts_us"]
    callables = {}
    for record in records:
        name = record.get("callable")
        if name is not None:
            one = callables.setdefault(name, _Callable(name))
            one.add(record, (record["ts_us"] - start) / 1e6)
    shown = sorted(callables.values(), key=lambda one: (-one.binding_ns, one.name))
    return {
        "commands": [
            {"pid": record["pid"], "command": record.get("command", "")}
            for record in records
            if record["topic"] == "process"
        ],
        "topics": sorted({record["topic"] for record in records} - {"process"}),
        "seconds": (end - start) / 1e6,
        "callables": shown,
        "queue": [
            ((record["ts_us"] - start) / 1e6, record["length"])
            for record in records
            if record["topic"] == "queue" and "length" in record
        ],
        "loaded": [record for record in records if record["event"] == "loaded"],
    }


class _Callable:
    """What a trace says of one callable. Times are nanoseconds unless the name says otherwise."""

    def __init__(self, name):
        self.name = name
        self.calls = 0
        """Estimated, from the calls that were timed."""
        self.binding_ns = 0
        """Estimated, of all these calls; of PyGObject's, the library's time is part of it."""
        self.native_ns = 0
        self.times = {}
        """Times beside the native function of timed calls, by tier; whole ones of PyGObject's."""
        self.native_times = []
        self.tier = 0
        self.history = []
        """``(second, tier)`` of each change; tier -1 is PyGObject."""
        self.rejected = None
        self.detail = ""
        self.deopts = []
        self.rounds = []
        self.compilations = []
        self.failures = []
        self.lock = None

    def add(self, record, second):
        event = record["event"]
        if event == "sampled":
            self._sampled(record)
        elif event == "untimed":
            self._untimed(record["calls"])
        elif event == "promoted":
            self._moves(second, record["to"])
        elif event == "withdrawn":
            self.rounds.append(record)
            self._moves(second, record["to"])
        elif event == "guard failed":
            self.deopts.append(record)
        elif event == "rejected":
            self.rejected, self.detail = record["reason"], record.get("detail", "")
            self._moves(second, -1)
        elif event == "compiled":
            self.compilations.append({**record, "second": second})
        elif event == "not compiled":
            self.failures.append(record)
        elif event == "lock decided":
            self.lock = record["lock"]
        if not self.history:
            self.history.append((second, 0))

    def _moves(self, second, tier):
        if not self.history and tier != -1:
            self.history.append((0, 0))
        self.tier = tier
        self.history.append((second, tier))

    def _sampled(self, record):
        many = record["stands_for"]
        if not record["host"]:
            self.calls += many
            self.binding_ns += record["binding_ns"] * many
            self.native_ns += record["native_ns"] * many
            self.native_times.append(record["native_ns"])
            self.times.setdefault(record["tier"], []).append(record["binding_ns"])
        else:
            if many > 1:
                self.calls += many
                self.binding_ns += record["total_ns"] * many
            self.times.setdefault(-1, []).append(record["total_ns"])

    def _untimed(self, calls):
        """Calls after the last that was timed: taken to be like those."""
        own, native = self.per_call, _median(self.native_times)
        if own is not None:
            self.calls += calls
            self.binding_ns += own * calls
            self.native_ns += (native or 0) * calls

    @property
    def per_call(self):
        """Nanoseconds of binding per call now: at the highest tier of which enough was timed."""
        tiers = [self.times[tier] for tier in sorted(self.times, reverse=True) if tier >= 0]
        if not tiers:
            return _median(self.times.get(-1))
        enough = [times for times in tiers if len(times) >= 3]
        return _median(enough[0] if enough else [time for times in tiers for time in times])

    @property
    def stock_per_call(self):
        """The same in PyGObject, as timed on calls of this program.

        None when there were none, or when the native function takes so much of it, or takes so
        differently long, that the rest cannot be told. The rule is that of ``src/stats/tally.rs``.
        """
        total, native = _median(self.times.get(-1)), sorted(self.native_times)
        if total is None or not native:
            return total if self.rejected else None
        binding = total - native[len(native) // 2]
        spread = native[len(native) * 3 // 4] - native[len(native) // 4]
        told = len(self.times[-1]) >= 2 and 3 * binding >= native[len(native) // 2]
        return binding if told and binding >= 2 * spread else None

    @property
    def before_ns(self):
        """What all calls would have cost in PyGObject, estimated; None when not known."""
        per_call = self.stock_per_call
        return self.binding_ns if self.rejected else per_call and per_call * self.calls

    @property
    def speedup(self):
        """How many times less the binding costs; None where too little was timed to say."""
        stock, own = self.stock_per_call, self.per_call
        enough = len(self.native_times) > 5 and not self.rejected
        return stock / own if enough and stock and own else None

    @property
    def code_bytes(self):
        return sum(one["bytes"] for one in self.compilations)

    @property
    def compile_us(self):
        steps = ("lower_us", "compile_us", "place_us")
        return sum(one[step] for one in self.compilations for step in steps)


def _median(values):
    return sorted(values)[len(values) // 2] if values else None
