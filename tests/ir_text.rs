//! The text form of thunk IR: what is printed is read back as it was, and errors name their line.

use gijit::ir::builder::Builder;
use gijit::ir::verify::verify;
use gijit::ir::{
    AbiType, BinaryOp, CallSignature, Callee, Condition, ConvertOp, Function, Type, text,
};

/// Everything that the text can say.
const SOURCE: &str = r#"thunk "GLib.\"odd\\name\u{7}" (ptr, i8, u16, f32, f64, u64) -> u32
  symbol @0 "first" = 0x7f0012345678
  symbol @1 "zweite Straße" = 0x0
  signature $0 (i8, u8, i16, u16, i32, u32, i64, u64, f32, f64, ptr) -> ptr
  signature $1 ()
  signature $2 (ptr, i8, u16, f32, f64, u64) -> u32
  slot s0 24
  slot s1 1
block0(v0: ptr, v1: i8, v2: i16, v3: f32, v4: f64, v5: i64):
  ; in 0: "a double", with = and , and ;
  v6: i64 = const 0xffffffffffffffff
  v7: f64 = const 0x3ff0000000000000
  v8: ptr = addr @1
  v9: ptr = addr s1
  v10: i32 = load v0-2147483648
  store v10, v9+2147483647
  v11: i64 = sub v5, v6
  v12: i8 = fle v4, v7
  v13: f32 = fdemote v7
  v14: ptr = select v12, v8, v9
  call v14 $1 ()
  branch v12, block2(v10), block1
block1 cold:
  tailcall @0 $2 (v0, v1, v2, v3, v4, v5)
block2(v15: i32):
  v16: i32 = sar v15, v10
  jump block3(v16)
block3(v17: i32) cold:
  return v17
"#;

#[test]
fn round_trip() {
    let function = text::parse(SOURCE).unwrap();
    verify(&function).unwrap();
    assert_eq!(function.name, "GLib.\"odd\\name\u{7}");
    assert_eq!(text::print(&function, true), SOURCE);
}

#[test]
fn without_addresses() {
    let function = text::parse(SOURCE).unwrap();
    let shown = function.to_string();
    assert!(shown.contains("  symbol @0 \"first\"\n"), "{shown}");
    assert!(!shown.contains("0x7f0012345678"), "{shown}");
    let again = text::parse(&shown).unwrap();
    assert_eq!(again.symbols[0].address, 0);
    assert_eq!(again.to_string(), shown);
}

/// Names, addresses and notes are no part of a shape; all else is.
#[test]
fn shapes() {
    let shape = |text: &str| text::shape(&text::parse(text).unwrap());
    for (from, to) in [
        ("odd", "even"),
        ("\"first\"", "\"1st\""),
        ("0x7f0012345678", "0x10"),
        ("  ; in 0: \"a double\", with = and , and ;\n", ""),
    ] {
        assert!(SOURCE.contains(from), "{from}");
        assert_eq!(shape(&SOURCE.replace(from, to)), shape(SOURCE), "{from}");
    }
    for (from, to) in [
        ("const 0xff", "const 0xfe"),
        ("slot s0 24", "slot s0 32"),
        ("block1 cold:", "block1:"),
        ("addr @1", "addr @0"),
        ("$1 ()\n  sig", "$1 () -> i32\n  sig"),
    ] {
        assert!(SOURCE.contains(from), "{from}");
        assert_ne!(shape(&SOURCE.replace(from, to)), shape(SOURCE), "{from}");
    }
}

#[test]
fn what_a_builder_writes() {
    let function = built();
    verify(&function).unwrap();
    assert_eq!(text::parse(&text::print(&function, true)), Ok(function));
}

/// Each op at least once.
fn built() -> Function {
    let signature = CallSignature {
        params: vec![AbiType::Ptr, AbiType::I64],
        result: Some(AbiType::I64),
    };
    let mut b = Builder::new("built", signature);
    let [object, number] = *b.params() else {
        unreachable!("two parameters were asked for")
    };
    b.note("  several\nlines ");
    let slot = b.slot(16);
    let place = b.slot_addr(slot);
    let loaded = b.load(Type::I32, object, -4);
    b.store(loaded, place, 8);
    let wide = b.convert(ConvertOp::Sext, Type::I64, loaded);
    let one = b.iconst(Type::I64, -1);
    let mut sum = wide;
    for op in [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::And,
        BinaryOp::Or,
        BinaryOp::Xor,
        BinaryOp::Shl,
        BinaryOp::Shr,
        BinaryOp::Sar,
    ] {
        sum = b.binary(op, sum, one);
    }
    let mut cond = b.compare(Condition::Eq, sum, number);
    for other in [
        Condition::Ne,
        Condition::Slt,
        Condition::Sle,
        Condition::Sgt,
        Condition::Sge,
        Condition::Ult,
        Condition::Ule,
        Condition::Ugt,
        Condition::Uge,
    ] {
        let bit = b.compare(other, sum, number);
        cond = b.select(bit, cond, bit);
    }
    let double = b.convert(ConvertOp::SintToFloat, Type::F64, sum);
    for other in [Condition::Feq, Condition::Flt, Condition::Fle] {
        let bit = b.compare(other, double, double);
        cond = b.binary(BinaryOp::And, cond, bit);
    }
    let type_object = b.symbol_addr("type", 0x1000);
    let result = b
        .call(
            "helper",
            0x2000,
            &[AbiType::Ptr, AbiType::F64],
            Some(AbiType::I64),
            &[type_object, double],
        )
        .unwrap();
    let (bail, end) = (b.cold_block(), b.block());
    let param = b.block_param(end, Type::I64);
    let next = b.block();
    b.branch(cond, bail, next);
    b.switch_to(next);
    b.jump(end, &[result]);
    b.switch_to(bail);
    let lower = b.symbol("tier 0", 0x3000);
    b.tail_call(Callee::Symbol(lower), &[object, number]);
    b.switch_to(end);
    b.ret(param);
    b.finish()
}

#[test]
fn errors_name_their_line() {
    for (source, expected) in [
        ("", "line 1: there is no thunk"),
        ("block0:\n", "line 1: expected \"thunk\" before \"block0:\""),
        ("thunk \"t", "line 1: the name has no closing quote"),
        ("thunk \"\\x\"", "line 1: an escape that names do not use"),
        (
            "thunk \"\\u{d800}\"",
            "line 1: an escape that is no character",
        ),
        ("thunk \"t\" (i9)", "line 1: \"i9\" is no type"),
        (
            "thunk \"t\" () -> i64 more",
            "line 1: \"more\" is left over",
        ),
        (
            "thunk \"t\" ()\n  jump block0",
            "line 2: an op outside of a block",
        ),
        (
            "thunk \"t\" ()\nblock1:",
            "line 2: block1 where block0 comes next",
        ),
        (
            "thunk \"t\" ()\n symbol @1 \"a\"",
            "line 2: @1 where @0 comes next",
        ),
        (
            "thunk \"t\" ()\nblock0:\n  v0: i64 = frob v0, v0",
            "line 3: \"frob\" is no op",
        ),
        (
            "thunk \"t\" ()\nblock0:\n  v0: i64 = const 12x",
            "line 3: \"12x\" is no number",
        ),
        (
            "thunk \"t\" ()\nblock0:\n  v4294967295: i64 = const 0x1",
            "line 3: v4294967295 is more values than a thunk has",
        ),
        (
            "thunk \"t\" ()\nblock0(v0: ptr):\n  v1: i64 = load v0+2147483648",
            "line 3: the offset is too large",
        ),
        (
            "thunk \"t\" ()\nblock0:\n  jump block0\n  jump block0",
            "line 4: the block already has its terminator",
        ),
    ] {
        let error = text::parse(source).expect_err(source);
        assert_eq!(error.to_string(), expected, "{source}");
    }
}

/// Whatever happens to a text, parsing it does not panic, and the verifier can take the result.
#[test]
fn damaged_texts() {
    for cut in 0..SOURCE.len() {
        if !SOURCE.is_char_boundary(cut) {
            continue;
        }
        for damaged in [
            SOURCE[..cut].to_owned(),
            SOURCE[cut..].to_owned(),
            format!("{}9{}", &SOURCE[..cut], &SOURCE[cut..]),
            format!("{}\"{}", &SOURCE[..cut], &SOURCE[cut..]),
            SOURCE
                .char_indices()
                .filter(|(at, _)| *at != cut)
                .map(|(_, c)| c)
                .collect(),
        ] {
            if let Ok(function) = text::parse(&damaged) {
                let _ = verify(&function);
            }
        }
    }
}
