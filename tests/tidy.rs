//! Rules about the sources themselves: who may name what, where `unsafe` may stand, how long a file
//! may be.

use std::fs;
use std::path::{Path, PathBuf};

/// Files that may contain `unsafe`. A new one needs a reason to be here; one without any is removed.
const UNSAFE: &[&str] = &[
    "python/src/callable/base.rs",
    "python/src/callable/bind.rs",
    "python/src/callable/entry.rs",
    "python/src/callable/info.rs",
    "python/src/callable/object.rs",
    "python/src/embed/debugger.rs",
    "python/src/embed/docstring.rs",
    "python/src/embed/ends/mod.rs",
    "python/src/embed/ends/objects.rs",
    "python/src/embed/ends/structs.rs",
    "python/src/embed/ends/variants.rs",
    "python/src/embed/engine.rs",
    "python/src/embed/fields.rs",
    "python/src/embed/host.rs",
    "python/src/embed/inspect.rs",
    "python/src/embed/install.rs",
    "python/src/embed/members.rs",
    "python/src/embed/names/memory.rs",
    "python/src/embed/names/mod.rs",
    "python/src/embed/names/slots.rs",
    "python/src/embed/order.rs",
    "python/src/embed/sample.rs",
    "python/src/errors.rs",
    "python/src/glib.rs",
    "python/src/layout/mod.rs",
    "python/src/layout/values.rs",
    "python/src/layout/wrapper.rs",
    "python/src/marshal/allocate.rs",
    "python/src/marshal/bind.rs",
    "python/src/marshal/callback/closure.rs",
    "python/src/marshal/callback/enter.rs",
    "python/src/marshal/callback/implement.rs",
    "python/src/marshal/callback/kind.rs",
    "python/src/marshal/callback/mod.rs",
    "python/src/marshal/callback/returned.rs",
    "python/src/marshal/callback/thread.rs",
    "python/src/marshal/callback/values.rs",
    "python/src/marshal/class.rs",
    "python/src/marshal/container/buffer.rs",
    "python/src/marshal/container/inward.rs",
    "python/src/marshal/container/kept.rs",
    "python/src/marshal/container/mod.rs",
    "python/src/marshal/container/nodes.rs",
    "python/src/marshal/container/numbers.rs",
    "python/src/marshal/container/outward.rs",
    "python/src/marshal/container/sequence.rs",
    "python/src/marshal/container/texts.rs",
    "python/src/marshal/desc.rs",
    "python/src/marshal/enums.rs",
    "python/src/marshal/field.rs",
    "python/src/marshal/foreign.rs",
    "python/src/marshal/fundamental.rs",
    "python/src/marshal/gerror.rs",
    "python/src/marshal/linker/describe.rs",
    "python/src/marshal/linker/namespaces.rs",
    "python/src/marshal/lock.rs",
    "python/src/marshal/mod.rs",
    "python/src/marshal/outward.rs",
    "python/src/marshal/pointer.rs",
    "python/src/marshal/scalar.rs",
    "python/src/marshal/table.rs",
    "python/src/marshal/types.rs",
    "python/src/marshal/value/inward.rs",
    "python/src/marshal/value/mod.rs",
    "python/src/marshal/value/outward.rs",
    "python/src/marshal/wrapped.rs",
    "python/src/marshal/wrapper.rs",
    "src/code/announce/debugger.rs",
    "src/code/announce/folder.rs",
    "src/code/announce/jitdump.rs",
    "src/code/announce/mod.rs",
    "src/code/announce/perf_map.rs",
    "src/code/memory.rs",
    "src/code/segment.rs",
    "src/compile/mod.rs",
    "src/compile/plugin.rs",
    "src/compile/worker.rs",
    "src/dispatch/mod.rs",
    "src/dispatch/slot.rs",
    "src/gil/class.rs",
    "src/gil/flow.rs",
    "src/gil/image.rs",
    "src/plan/link.rs",
    "src/signature/fundamental.rs",
    "src/signature/girepository.rs",
    "src/signature/girepository/containers.rs",
    "src/signature/girepository/differing.rs",
    "src/signature/girepository/library.rs",
    "src/signature/girepository/members.rs",
    "src/signature/lookup.rs",
    "src/signature/read.rs",
    "src/signature/vtable.rs",
    "src/trace/stamp.rs",
    "tiers/interp/src/entry.rs",
    "tiers/interp/src/lib.rs",
    "tiers/llvm/src/compiler.rs",
    "tiers/llvm/src/engines.rs",
    "tiers/llvm/src/lib.rs",
    "tiers/llvm/src/translate.rs",
];

/// Folder, and what its sources must not name.
const IMPORTS: &[(&str, &[&str])] = &[
    (
        "src",
        &[
            "pyo3",
            "libffi::",
            "cranelift",
            "inkwell",
            "gijit_interp",
            "gijit_cranelift",
            "gijit_llvm::",
        ],
    ),
    (
        "tiers/interp/src",
        &["pyo3", "gijit_cranelift", "gijit_llvm", "signature::"],
    ),
    (
        "tiers/cranelift/src",
        &[
            "pyo3",
            "gijit_interp",
            "gijit_llvm",
            "signature::",
            "plan::",
        ],
    ),
    (
        "tiers/llvm/src",
        &[
            "pyo3",
            "gijit_interp",
            "gijit_cranelift",
            "signature::",
            "plan::",
        ],
    ),
    (
        "src/ir",
        &[
            "crate::plan",
            "crate::signature",
            "crate::lower",
            "crate::dispatch",
        ],
    ),
    (
        "src/plan",
        &["crate::lower", "crate::compile", "crate::code"],
    ),
    (
        "src/lower",
        &["crate::signature", "crate::compile", "crate::code"],
    ),
    ("src/compile", &["crate::signature"]),
    (
        "src/code",
        &["crate::plan", "crate::signature", "crate::dispatch"],
    ),
    ("python/src/recipes", &["pyo3", "girepository"]),
];

const LONGEST: usize = 510;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust sources under `folder`, with their texts.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

fn all() -> Vec<(PathBuf, String)> {
    [
        "src",
        "tiers/interp/src",
        "tiers/cranelift/src",
        "tiers/llvm/src",
        "python/src",
    ]
    .iter()
    .flat_map(|folder| sources(folder))
    .collect()
}

/// The lines of `text` that are no comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
}

#[test]
fn unsafe_stands_in_the_listed_files_only() {
    let with_unsafe: Vec<String> = all()
        .into_iter()
        .filter(|(_, text)| {
            code(text).any(|line| {
                line.split(|c: char| !c.is_alphanumeric())
                    .any(|w| w == "unsafe")
            })
        })
        .map(|(path, _)| {
            path.strip_prefix(root())
                .expect("below root")
                .display()
                .to_string()
        })
        .collect();
    for path in &with_unsafe {
        assert!(
            UNSAFE.contains(&path.as_str()),
            "{path} contains unsafe and is not listed"
        );
    }
    for path in UNSAFE {
        assert!(
            with_unsafe.iter().any(|found| found == path),
            "{path} is listed without need"
        );
    }
}

#[test]
fn folders_do_not_name_what_they_must_not_know() {
    for (folder, forbidden) in IMPORTS {
        for (path, text) in sources(folder) {
            for line in code(&text) {
                for word in *forbidden {
                    assert!(
                        !line.contains(word),
                        "{}: {line:?} names {word}",
                        path.display()
                    );
                }
            }
        }
    }
}

#[test]
fn files_say_what_they_are_for_and_stay_short() {
    for (path, text) in all() {
        assert!(
            text.starts_with("//!"),
            "{} does not open with its purpose",
            path.display()
        );
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST,
            "{} has {lines} lines, at most {LONGEST}",
            path.display()
        );
    }
}

#[test]
fn exceptions_to_lints_have_a_reason() {
    for (path, text) in all() {
        let mut lines = code(&text);
        while let Some(line) = lines.next() {
            if line.starts_with("#[allow(") || line.starts_with("#![allow(") {
                let mut whole = line.to_owned();
                while !whole.contains(")]") {
                    whole.push_str(lines.next().expect("the attribute ends"));
                }
                assert!(
                    whole.contains("reason"),
                    "{}: {line} without a reason",
                    path.display()
                );
            }
        }
    }
}
