//! An event as data: one JSON object, or events of a Chrome trace.
//!
//! | JSON key | what |
//! |---|---|
//! | `ts_us` | microseconds on the monotonic clock |
//! | `pid`, `tid` | process and thread |
//! | `topic` | a name of `GIJIT_TRACE`, or `process` |
//! | `event` | what happened: the name that the event has in `trace/mod.rs` |
//! | others | the event's own fields |
//!
//! In a Chrome trace these are the `args`; what lasts is a complete event (`X`) that begins so long
//! ago, with its parts inside of it; a queue's length is a counter (`C`), all else is an instant
//! (`i`). The format is described in Google's "Trace Event Format".

use std::fmt::Debug;

use serde_json::{Map, Value, json};
use tracing::Event;
use tracing::field::{Field, Visit};

use super::stamp::Stamp;

/// One event.
pub(super) struct Record {
    stamp: Stamp,
    topic: String,
    event: &'static str,
    fields: Map<String, Value>,
}

impl Record {
    /// What `event` says, with the time and the thread of this call.
    pub fn new(event: &Event<'_>) -> Record {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let target = event.metadata().target();
        Record {
            stamp: Stamp::now(),
            topic: target.strip_prefix("gijit::").unwrap_or(target).to_owned(),
            event: event.metadata().name(),
            fields: fields.0,
        }
    }

    /// The process and its command line: a trace begins with it.
    pub fn process() -> Record {
        let command = std::fs::read("/proc/self/cmdline").unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let mut fields = Map::new();
        fields.insert("command".to_owned(), json!(command.trim_end()));
        fields.insert("gijit".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        Record {
            stamp: Stamp::now(),
            topic: "process".to_owned(),
            event: "start",
            fields,
        }
    }

    /// One JSON object without a line end.
    pub fn json(self) -> String {
        let mut object = Map::new();
        object.insert("ts_us".to_owned(), json!(self.stamp.micros));
        object.insert("pid".to_owned(), json!(self.stamp.pid));
        object.insert("tid".to_owned(), json!(self.stamp.tid));
        object.insert("topic".to_owned(), json!(self.topic));
        object.insert("event".to_owned(), json!(self.event));
        object.extend(self.fields);
        Value::Object(object).to_string()
    }

    /// The events of a Chrome trace, without what stands between them.
    pub fn chrome(self) -> Vec<String> {
        let micros = |name: &str| self.fields.get(name).and_then(Value::as_f64);
        let callable = self.text("callable");
        let mut made = Vec::new();
        match (self.topic.as_str(), self.event) {
            ("process", _) => {
                made.push(self.metadata("process_name", &self.text("command")));
                // A process starts with its main thread, which bears its id.
                made.push(self.metadata("thread_name", "main"));
                made.push(self.made("i", "start".to_owned(), 0.0));
            }
            ("compile", "compiled") => {
                let steps = ["lower_us", "compile_us", "place_us"]
                    .map(|name| (name.trim_end_matches("_us"), micros(name).unwrap_or(0.0)));
                let mut left: f64 = steps.iter().map(|(_, took)| took).sum();
                made.push(self.made("X", format!("compile {callable}"), left));
                for (step, took) in steps {
                    made.push(self.part(step, left, took));
                    left -= took;
                }
            }
            ("sample", "sampled") => {
                let micros = |name| Some(micros(name)? / 1e3);
                let took = micros("total_ns").unwrap_or(0.0);
                made.push(self.made("X", format!("call {callable}"), took));
                if let (Some(native), Some(before)) =
                    (micros("native_ns"), micros("before_native_ns"))
                {
                    made.push(self.part("in the library", took - before, native));
                }
            }
            ("queue", _) => {
                let length = self.fields.get("length").cloned().unwrap_or_default();
                made.push(json!({
                    "name": "compile queue", "ph": "C", "cat": "queue", "ts": self.stamp.micros,
                    "pid": self.stamp.pid, "tid": self.stamp.tid, "args": {"jobs": length},
                }));
                made.push(self.made("i", format!("{} {callable}", self.event), 0.0));
            }
            (_, event) => made.push(self.made("i", format!("{event} {callable}"), 0.0)),
        }
        made.iter().map(Value::to_string).collect()
    }

    /// The names of the thread that this happened on.
    pub fn chrome_thread(name: &str) -> String {
        let stamp = Stamp::now();
        json!({
            "name": "thread_name", "ph": "M", "pid": stamp.pid, "tid": stamp.tid,
            "args": {"name": name},
        })
        .to_string()
    }

    fn text(&self, name: &str) -> String {
        let value = self.fields.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    }

    fn metadata(&self, name: &str, value: &str) -> Value {
        json!({
            "name": name, "ph": "M", "pid": self.stamp.pid, "tid": self.stamp.pid,
            "args": {"name": value},
        })
    }

    /// A Chrome event of this record that has taken so many microseconds up to now.
    fn made(&self, phase: &str, name: String, took: f64) -> Value {
        let mut args = Map::new();
        args.insert("event".to_owned(), json!(self.event));
        args.extend(self.fields.clone());
        let mut made = self.part(name.trim_end(), took, took);
        made["ph"] = json!(phase);
        made["args"] = Value::Object(args);
        if phase == "i" {
            made["s"] = json!("t");
            made.as_object_mut().map(|made| made.shift_remove("dur"));
        }
        made
    }

    /// A step that began so many microseconds ago.
    fn part(&self, name: &str, ago: f64, took: f64) -> Value {
        json!({
            "name": name, "ph": "X", "cat": self.topic, "ts": self.stamp.micros - ago,
            "dur": took, "pid": self.stamp.pid, "tid": self.stamp.tid,
        })
    }
}

/// Collects an event's fields.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, json!(format!("{value:?}")));
    }
}
