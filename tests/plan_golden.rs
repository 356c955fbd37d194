//! The plans of a few callables, each beside what its typelib says, in `tests/golden/plan/`.
//! `GIJIT_BLESS=1` writes the files anew.

mod typelib;

use std::path::Path;

use typelib::{Callable, callables};

/// One of each kind: what it shows stands beside it.
const CALLABLES: &[&str] = &[
    "GLib.random_double_range",              // doubles
    "GLib.random_int_range",                 // integers
    "GLib.unichar_type",                     // unichar, enum
    "GLib.KeyFile.get_integer",              // boxed instance, throws
    "GLib.KeyFile.get_string",               // an owned string
    "GLib.Date.new_dmy",                     // constructor of a boxed type
    "GLib.DateTime.get_ymd",                 // several results
    "GLib.Uri.split",                        // skipped result, throws
    "GLib.Variant.new_string",               // constructor of a variant
    "GLib.Variant.get_type_string",          // variant instance
    "GLib.file_get_contents",                // an array with its length
    "GLib.strlcpy",                          // a string that is written into
    "GLib.strreverse",                       // rejected: writes into the string that it returns
    "GObject.Object.get_property",           // a GValue
    "GObject.ObjectClass.list_properties",   // parameter specifications in an array
    "GObject.ParamSpec.get_redirect_target", // a fundamental that is no GObject
    "Gtk.Widget.draw",                       // a foreign struct
    "Gio.File.new_for_path",                 // filename, owned object
    "Gio.File.get_basename",                 // interface instance, owned filename
    "Gio.File.load_contents_async",          // a callback whose user data takes the rest
    "Gio.SimpleAction.new",                  // constructor, argument that may be left out
    "Gio.DBusMethodInvocation.return_value", // the instance is given away
    "Gio.Application.send_notification",     // None, but not left out
    "Gio.Application.do_local_command_line", // a virtual function
    "GObject.ObjectClass.override_property", // a class struct
    "Gtk.Label.set_text",                    // the most common method
    "Gtk.Label.get_text",                    // a borrowed string
    "Gtk.Label.new",                         // a floating object
    "Gtk.Editable.insert_text",              // in and out
    "Gtk.ListBox.set_sort_func",             // a callback with a destroy notify
    "GObject.Object.watch_closure",          // a closure
    "Gtk.TextIter.copy",                     // an owned boxed value
    "Gtk.Widget.get_preferred_width",        // two results and no return value
    "Gtk.Widget.get_preferred_size",         // allocated by the caller
];

#[test]
fn plans_are_as_blessed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/plan");
    let bless = std::env::var_os("GIJIT_BLESS").is_some_and(|value| value == "1");
    let mut changed = Vec::new();
    for &name in CALLABLES {
        let actual = text(find(name));
        let path = folder.join(format!("{name}.txt"));
        if bless {
            std::fs::create_dir_all(&folder).expect("the folder can be made");
            std::fs::write(&path, &actual).expect("the file can be written");
        } else if std::fs::read_to_string(&path).unwrap_or_default() != actual {
            changed.push(format!("--- {}\n{actual}", path.display()));
        }
    }
    for entry in std::fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        if !name.is_some_and(|name| CALLABLES.contains(&name)) {
            changed.push(format!("--- {} belongs to no callable\n", path.display()));
        }
    }
    let changes = changed.join("\n");
    assert!(
        changed.is_empty(),
        "GIJIT_BLESS=1 accepts new texts:\n{changes}"
    );
}

fn find(name: &str) -> &'static Callable {
    let mut all = callables().values().flatten();
    all.find(|callable| callable.name == name)
        .unwrap_or_else(|| panic!("there is no {name}"))
}

fn text(callable: &Callable) -> String {
    let plan = match callable.plan() {
        Ok(plan) => plan.to_string(),
        Err(reject) => format!("rejected: {reject}\n"),
    };
    format!("{}\n{plan}", callable.signature)
}
