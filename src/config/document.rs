//! `docs/environment.md`, as the table makes it.

use std::fmt::Write as _;

use super::VARIABLES;

const OPENING: &str = "\
# Environment variables

Read once, when gijit is installed into a process. A value that is not allowed, or a `GIJIT_` name that
does not exist, is one line on standard error that names it and what is allowed; the program then runs
on the default. A pattern that fits none of the callables that a program called is one line when the
program ends; in a pattern `*` stands for any run of characters. An empty value counts as unset. A file
that cannot be written is one line too. No variable but `GIJIT` turns gijit on, and while it is
off none is read. `python -m gijit doctor` shows what is set. This page is made from the table in
`src/config/table.rs`.

| variable | default | allowed | what it does |
|---|---|---|---|
";

/// The whole page.
pub fn document() -> String {
    let mut text = OPENING.to_owned();
    for row in VARIABLES {
        let default = match row.default {
            "" => "empty".to_owned(),
            default => format!("`{default}`"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {default} | {} | {} |",
            row.name, row.allowed, row.doc
        );
    }
    text
}
