//! The statistics as a table and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Handed, Row, Stats};

/// Callables in a list of the table.
const LISTED: usize = 15;

impl Stats {
    /// For people: one line per counter, and the callables that matter most.
    pub fn table(&self) -> String {
        let mut text = String::from("gijit statistics\n");
        let mut row = |name: &str, value: u64| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<40} {value:>12}");
        };
        for (tier, calls) in self.calls().into_iter().enumerate() {
            row(&format!("calls at tier {tier}"), calls);
        }
        row("calls through PyGObject", self.host());
        for (why, text) in Handed::ALL {
            match self.handed(why) {
                0 => {}
                calls => row(&format!("  of these {text}"), calls),
            }
        }
        row("compiled for tier 1", self.compiled(1));
        row("compiled for tier 2", self.compiled(2));
        row("failed guards", self.deopts());
        row("bytes of code", self.code_bytes);
        for (reason, count) in self.rejections() {
            row(&format!("rejected: {reason}"), count);
        }
        let mut called: Vec<&Row> = self
            .callables
            .iter()
            .filter(|row| row.total() > 0)
            .collect();
        called.sort_by_key(|row| std::cmp::Reverse(row.total()));
        list(&mut text, "most called", &called);
        called.retain(|row| row.saved_ns() > 0);
        called.sort_by_key(|row| std::cmp::Reverse(row.saved_ns()));
        list(&mut text, "most time saved", &called);
        if !called.is_empty() {
            let saved = called.iter().map(|row| row.saved_ns()).sum::<i64>() as f64 / 1e6;
            let _ = writeln!(text, "\n  about {saved:.1} ms saved. {HOW}");
        }
        text
    }

    /// One JSON object, with the keys of `gijit.stats()`.
    pub fn json(&self) -> String {
        let [tier0, tier1, tier2] = self.calls();
        let callables: Map<String, Value> = self
            .callables
            .iter()
            .map(|row| (row.name.clone(), callable(row)))
            .collect();
        let whole = json!({
            "calls": {
                "tier0": tier0, "tier1": tier1, "tier2": tier2, "pygobject": self.host(),
            },
            "compiled": {"tier1": self.compiled(1), "tier2": self.compiled(2)},
            "deopts": self.deopts(),
            "rejections": self.rejections(),
            "code_bytes": self.code_bytes,
            "handed_over": handed(|why| self.handed(why)),
            "saved_ns": self.callables.iter().map(Row::saved_ns).sum::<i64>(),
            "callables": callables,
        });
        format!("{whole}\n")
    }
}

/// How the estimate is made, for the foot of the table.
const HOW: &str = "An estimate: for each call, what PyGObject takes longer for it\n  \
than its tier does. *: as timed in this run on some of its calls (GIJIT_TRACE=sample). Others: as a\n  \
call of so many arguments takes in PyGObject and at that tier on the machine that gijit was measured on.";

/// A part of the table: the first of `rows`.
fn list(text: &mut String, title: &str, rows: &[&Row]) {
    if rows.is_empty() {
        return;
    }
    let shown = &rows[..rows.len().min(LISTED)];
    let width = shown.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let width = width.max(title.len() + 1);
    let _ = writeln!(
        text,
        "\n  {:width$} {:>10} {:>9} {:>9} {:>9} {:>9}  {:>4} {:>6} {:>7} {:>10}",
        format!("{title}:"),
        "calls",
        "tier 0",
        "tier 1",
        "tier 2",
        "PyGObject",
        "now",
        "deopts",
        "bytes",
        "saved"
    );
    for row in shown {
        let [tier0, tier1, tier2] = row.calls;
        let now = match row.rejected {
            Some(_) => "PyG".to_owned(),
            None => row.tier.to_string(),
        };
        let saved = format!(
            "{:.2} ms{}",
            row.saved_ns() as f64 / 1e6,
            if row.is_measured() { "*" } else { " " }
        );
        let line = format!(
            "  {:width$} {:>10} {tier0:>9} {tier1:>9} {tier2:>9} {:>9}  {now:>4} {:>6} {:>7} {saved:>10}",
            row.name,
            row.total(),
            row.host,
            row.deopts,
            row.code_bytes,
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if rows.len() > shown.len() {
        let _ = writeln!(text, "  and {} more", rows.len() - shown.len());
    }
}

/// Calls that went to the host, by reason; those that there are none of are left out.
fn handed(calls: impl Fn(Handed) -> u64) -> Map<String, Value> {
    Handed::ALL
        .into_iter()
        .map(|(why, key)| (key.to_owned(), json!(calls(why))))
        .filter(|(_, calls)| *calls != 0)
        .collect()
}

/// What `stats()["callables"]` has of one callable.
fn callable(row: &Row) -> Value {
    let [tier0, tier1, tier2] = row.calls;
    let mut made = json!({
        "tier": row.tier,
        "calls": {"tier0": tier0, "tier1": tier1, "tier2": tier2, "pygobject": row.host},
        "handed_over": handed(|why| row.handed[why as usize]),
        "compiled": {"tier1": row.compiled[1], "tier2": row.compiled[2]},
        "compile_ns": row.compile_ns,
        "deopts": row.deopts,
        "code_bytes": row.code_bytes,
        "saved_ns": row.saved_ns(),
        "measured": row.is_measured(),
    });
    if let Some(reason) = row.rejected {
        made["tier"] = json!(-1);
        made["rejected"] = json!(reason);
    }
    made
}
