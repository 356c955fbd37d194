//! Compiles small functions, places them and runs them.

use gijit::code::CodeMemory;
use gijit::compile::backend::Backend;
use gijit::ir::text;
use gijit::ir::verify::verify;
use gijit_cranelift::CraneliftBackend;

extern "C" fn narrow(a: i8, b: u16, c: f32, d: f64) -> i16 {
    (i64::from(a) + i64::from(b) + c as i64 + d as i64) as i16
}

#[test]
fn calls_with_narrow_and_float_arguments() {
    let source = format!(
        r#"thunk "t" (i64) -> i64
  symbol @0 "narrow" = {:#x}
  signature $0 (i8, u16, f32, f64) -> i16
  slot s0 8
block0(v0: i64):
  v1: i8 = trunc v0
  v2: i16 = trunc v0
  v3: f32 = const 0x3f800000
  v4: f64 = const 0x4000000000000000
  v5: i16 = call @0 $0 (v1, v2, v3, v4)
  v6: i64 = sext v5
  v7: ptr = addr s0
  store v6, v7+0
  v8: i64 = load v7+0
  v9: i64 = const 0x0
  v10: i8 = slt v8, v9
  branch v10, block1, block2(v8)
block1 cold:
  jump block2(v9)
block2(v11: i64):
  return v11
"#,
        narrow as *const () as usize
    );
    let function = text::parse(&source).unwrap();
    verify(&function).unwrap();
    assert_eq!(text::print(&function, true), source);
    let code = CraneliftBackend::new().unwrap().compile(&function).unwrap();
    let memory = CodeMemory::new(1 << 20);
    let handle = memory.place(&code).unwrap();
    // SAFETY: the code was compiled with this signature and is placed.
    let run: extern "C" fn(i64) -> i64 = unsafe { std::mem::transmute(handle.entry) };
    // -4 as an i8, 65532 as a u16, 1 and 2 as floats: 65531, which is -5 as an i16; that is below 0.
    assert_eq!(run(-4), 0);
    assert_eq!(run(5), 13);
    memory.retire(handle);
}
