//! What a tier shows of a thunk names what the thunk calls and compares with.

use gijit::compile::backend::{Backend, Listing};
use gijit::ir::text;

const SOURCE: &str = r#"thunk "GLib.listed" (ptr, ptr, i64, ptr) -> ptr
  symbol @0 "lower tier" = 0x7f0000001000
  symbol @1 "native" = 0x7f0000002000
  symbol @2 "PyFloat_Type" = 0x7f0000003000
  symbol @3 "low" = 0x9a2340
  signature $0 (ptr, ptr, i64, ptr) -> ptr
  signature $1 (f64, i8) -> ptr
block0(v0: ptr, v1: ptr, v2: i64, v3: ptr):
  ; in 0: double
  v4: ptr = load v1+0
  v5: ptr = load v4+8
  v6: ptr = addr @2
  v7: i8 = eq v5, v6
  branch v7, block2, block1
block1 cold:
  tailcall @0 $0 (v0, v1, v2, v3)
block2:
  v8: f64 = load v4+16
  v9: f64 = const 0x400921fb54442d18
  v10: f64 = mul v8, v9
  v11: i8 = trunc v2
  v12: ptr = call @1 $1 (v10, v11)
  v13: ptr = addr @3
  v14: i8 = eq v12, v13
  v15: ptr = select v14, v0, v12
  return v15
"#;

pub fn run(backend: &mut dyn Backend) {
    let function = text::parse(SOURCE).unwrap();
    let asm = backend.list(&function, Listing::Asm).unwrap();
    for name in ["lower tier", "native", "PyFloat_Type", "low"] {
        assert!(asm.contains(&format!("  # {name}\n")), "{name} in\n{asm}");
    }
    assert!(
        !asm.contains("(bad)"),
        "constants are not shown as code:\n{asm}"
    );
    // The step of the plan stands before its instructions.
    assert!(asm.contains("; in 0: double\n"), "{asm}");
    assert!(
        backend
            .compile(&function.without_notes())
            .unwrap()
            .steps
            .is_empty()
    );
    let ir = backend.list(&function, Listing::Ir).unwrap();
    for name in ["GLib.listed", "lower tier", "native", "PyFloat_Type", "low"] {
        assert!(ir.contains(name), "{name} in\n{ir}");
    }
    // A text without addresses, as in a golden file, lists the same in every process.
    let bare = text::parse(&function.to_string()).unwrap();
    for what in [Listing::Ir, Listing::Asm] {
        assert_eq!(backend.list(&bare, what), backend.list(&bare, what));
    }
}
