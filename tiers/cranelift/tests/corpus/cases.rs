//! Each op at each type, and the ways in which they meet.

use gijit::code::CodeMemory;
use gijit::compile::backend::Backend;
use gijit::ir::text;

use super::{INTERESTING, check, functions};

const BINARY: [&str; 9] = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr", "sar"];
const CONDITIONS: [&str; 10] = [
    "eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge",
];

pub fn run(backend: &mut dyn Backend, memory: &CodeMemory) {
    let mut args = Vec::new();
    for a in INTERESTING {
        for b in INTERESTING {
            args.push([a, b, a ^ b, b.rotate_left(17)]);
        }
    }
    for body in bodies() {
        let source = source(&body);
        let function = text::parse(&source).unwrap_or_else(|error| panic!("{error}\n{source}"));
        assert_eq!(text::print(&function, true), source, "the text round-trips");
        check(backend, memory, &function, &args);
    }
}

/// A whole function around `body`, whose parameters are v0 to v3.
fn source(body: &str) -> String {
    let mut out = String::from("thunk \"corpus\" (i64, i64, i64, i64) -> i64\n");
    for (index, (name, address, _, _)) in functions::ALL.iter().enumerate() {
        out += &format!("  symbol @{index} \"{name}\" = {address:#x}\n");
    }
    for (index, (_, _, signature, _)) in functions::ALL.iter().enumerate() {
        out += &format!("  signature ${index} {signature}\n");
    }
    out += "  slot s0 24\n  slot s1 3\n";
    out += "block0(v0: i64, v1: i64, v2: i64, v3: i64):\n";
    for line in body.trim().lines() {
        let line = line.trim();
        out += if line.starts_with("block") { "" } else { "  " };
        out += line;
        out += "\n";
    }
    out
}

fn bodies() -> Vec<String> {
    let mut bodies = Vec::new();
    for op in BINARY {
        bodies.push(format!("v4: i64 = {op} v0, v1\n return v4"));
        // By a constant, which the optimisers fold.
        bodies.push(format!(
            "v4: i64 = const 0x45\n v5: i64 = {op} v0, v4\n return v5"
        ));
        for ty in ["i8", "i16", "i32"] {
            bodies.push(format!(
                "v4: {ty} = trunc v0
                v5: {ty} = trunc v1
                v6: {ty} = {op} v4, v5
                v7: i64 = sext v6
                return v7"
            ));
        }
    }
    for cond in CONDITIONS {
        bodies.push(widened(&format!("v4: i8 = {cond} v0, v1"), 4));
        for ty in ["i8", "i16", "i32"] {
            bodies.push(widened(
                &format!("v4: {ty} = trunc v0\n v5: {ty} = trunc v1\n v6: i8 = {cond} v4, v5"),
                6,
            ));
        }
        bodies.push(widened(
            &format!("v4: ptr = bitcast v0\n v5: ptr = bitcast v1\n v6: i8 = {cond} v4, v5"),
            6,
        ));
    }
    for cond in ["feq", "flt", "fle"] {
        bodies.push(widened(
            &format!("v4: f64 = bitcast v0\n v5: f64 = bitcast v1\n v6: i8 = {cond} v4, v5"),
            6,
        ));
        bodies.push(widened(
            &format!(
                "v4: i32 = trunc v0
                v5: i32 = trunc v1
                v6: f32 = bitcast v4
                v7: f32 = bitcast v5
                v8: i8 = {cond} v6, v7"
            ),
            8,
        ));
    }
    for op in ["add", "sub", "mul"] {
        for ty in ["f32", "f64"] {
            for int in ["i8", "i16", "i32", "i64"] {
                bodies.push(float(ty, int, op));
            }
        }
    }
    bodies.extend(OTHERS.iter().map(|body| body.to_string()));
    bodies
}

/// Returns the comparison `v<bit>` in 64 bits.
fn widened(body: &str, bit: u32) -> String {
    let result = bit + 1;
    format!("{body}\n v{result}: i64 = zext v{bit}\n return v{result}")
}

/// `op` on integers made floats; the result's bits.
fn float(ty: &str, int: &str, op: &str) -> String {
    let narrowed = match int {
        "i64" => "v4: i64 = const 0x0\n v5: i64 = add v0, v4\n v6: i64 = add v1, v4".to_owned(),
        _ => format!("v4: i64 = const 0x0\n v5: {int} = trunc v0\n v6: {int} = trunc v1"),
    };
    let result = match ty {
        "f32" => "v10: i32 = bitcast v9\n v11: i64 = sext v10\n return v11",
        _ => "v10: i64 = bitcast v9\n return v10",
    };
    format!(
        "{narrowed}
        v7: {ty} = sint_to_float v5
        v8: {ty} = sint_to_float v6
        v9: {ty} = {op} v7, v8
        {result}"
    )
}

const OTHERS: &[&str] = &[
    // Arithmetic on addresses.
    "v4: ptr = bitcast v0
    v5: ptr = bitcast v1
    v6: ptr = add v4, v5
    v7: ptr = const 0x10
    v8: ptr = sub v6, v7
    v9: i64 = bitcast v8
    return v9",
    // Constants wider than their type.
    "v4: i8 = const 0xffffffffffffff80
    v5: i64 = sext v4
    v6: i32 = const 0xffffffffffffffff
    v7: i64 = zext v6
    v8: i64 = add v5, v7
    return v8",
    // Extensions and float widths.
    "v4: i8 = trunc v0
    v5: i16 = sext v4
    v6: i32 = zext v5
    v7: i64 = sext v6
    v8: f64 = sint_to_float v7
    v9: f32 = fdemote v8
    v10: f64 = fpromote v9
    v11: i64 = bitcast v10
    return v11",
    // Float constants, which may live in a pool.
    "v4: f64 = sint_to_float v0
    v5: f64 = const 0x400921fb54442d18
    v6: f64 = mul v4, v5
    v7: f64 = const 0xbff0000000000000
    v8: f64 = add v6, v7
    v9: f32 = fdemote v8
    v10: f32 = const 0x3dcccccd
    v11: f32 = mul v9, v10
    v12: i32 = bitcast v11
    v13: i64 = zext v12
    return v13",
    // Select of each kind, on a condition that is neither 0 nor 1.
    "v4: i8 = trunc v0
    v5: i64 = select v4, v1, v2
    v6: ptr = bitcast v5
    v7: ptr = bitcast v3
    v8: ptr = select v4, v6, v7
    v9: i64 = bitcast v8
    v10: f64 = bitcast v9
    v11: f64 = const 0x0
    v12: f64 = select v4, v10, v11
    v13: i64 = bitcast v12
    v14: i8 = trunc v1
    v15: i8 = select v4, v14, v4
    v16: i64 = sext v15
    v17: i64 = add v13, v16
    return v17",
    // Loads and stores of all sizes, and not aligned.
    "v4: ptr = addr s0
    store v0, v4+0
    store v1, v4+8
    store v2, v4+16
    v5: i8 = trunc v3
    store v5, v4+3
    v6: i16 = trunc v3
    store v6, v4+7
    v7: i32 = trunc v3
    store v7, v4+13
    v8: i64 = load v4+1
    v9: i32 = load v4+6
    v10: i64 = sext v9
    v11: i16 = load v4+11
    v12: i64 = zext v11
    v13: i8 = load v4+15
    v14: i64 = sext v13
    v15: f64 = load v4+9
    store v15, v4+2
    v16: i64 = load v4+0
    v17: ptr = load v4+8
    v18: i64 = bitcast v17
    v19: i64 = xor v8, v10
    v20: i64 = xor v19, v12
    v21: i64 = xor v20, v14
    v22: i64 = add v21, v16
    v23: i64 = sub v22, v18
    v24: ptr = addr s1
    store v5, v24+2
    v25: i8 = load v24+2
    v26: i64 = sext v25
    v27: i64 = add v23, v26
    return v27",
    // Block parameters that change places, in a loop that runs v0 mod 16 times.
    "v4: i64 = const 0xf
    v5: i64 = and v0, v4
    jump block1(v5, v1, v2)
    block1(v6: i64, v7: i64, v8: i64):
    v9: i64 = const 0x0
    v10: i8 = eq v6, v9
    branch v10, block3(v7, v8), block2
    block2:
    v11: i64 = const 0x1
    v12: i64 = sub v6, v11
    v13: i64 = add v7, v3
    jump block1(v12, v8, v13)
    block3(v14: i64, v15: i64) cold:
    v16: i64 = const 0x3
    v17: i64 = mul v14, v16
    v18: i64 = sub v17, v15
    return v18",
    // Both sides of a branch are one block, with other arguments.
    "v4: i8 = slt v0, v1
    branch v4, block1(v2), block1(v3)
    block1(v5: i64):
    return v5",
    // An unreachable block.
    "jump block2
    block1:
    return v1
    block2:
    return v0",
    // Narrow arguments.
    "v4: i8 = trunc v0
    v5: i16 = trunc v1
    v6: i32 = trunc v2
    v7: i64 = call @0 $0 (v4, v4, v5, v5, v6, v6)
    v8: i64 = call @1 $1 (v4, v4, v5, v5)
    v9: i64 = xor v7, v8
    return v9",
    // Narrow results with anything above them.
    "v4: i8 = call @2 $2 (v0)
    v5: i64 = sext v4
    v6: i16 = call @3 $3 (v1)
    v7: i64 = zext v6
    v8: i32 = call @4 $4 (v2)
    v9: i64 = sext v8
    v10: i64 = add v5, v7
    v11: i64 = xor v10, v9
    v12: i16 = call @3 $3 (v3)
    v13: i16 = const 0x0
    v14: i8 = eq v12, v13
    v15: i64 = select v14, v0, v11
    return v15",
    // Floats in and out.
    "v4: f64 = sint_to_float v0
    v5: f64 = sint_to_float v1
    v6: i32 = trunc v2
    v7: f32 = sint_to_float v6
    v8: f32 = call @6 $6 (v7)
    v9: f64 = call @5 $5 (v7, v4, v8, v5)
    v10: i64 = bitcast v9
    return v10",
    // More arguments than registers.
    "v4: f64 = sint_to_float v0
    v5: i32 = trunc v1
    v6: i8 = trunc v2
    v7: i16 = trunc v3
    v8: f32 = sint_to_float v5
    v9: i64 = call @7 $7 (v0, v4, v5, v6, v1, v7, v8, v2, v3, v6, v0, v5)
    call @9 $9 (v9)
    v10: i64 = add v9, v0
    return v10",
    // A callee known at run time.
    "v4: ptr = addr @8
    v5: ptr = addr s0
    store v4, v5+8
    call @9 $9 (v0)
    v6: ptr = load v5+8
    v7: i64 = call v6 $8 (v1, v0, v3, v2)
    return v7",
    // Tail calls, to a symbol and to a value, one in a cold block.
    "v4: i8 = ult v0, v1
    branch v4, block1, block2
    block1 cold:
    ; bail
    tailcall @8 $8 (v3, v2, v1, v0)
    block2:
    call @9 $9 (v0)
    v5: ptr = addr @8
    tailcall v5 $8 (v0, v1, v2, v3)",
];
