//! C functions for thunks to call, and their models for the evaluator.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::evaluate::Model;

/// Name, address, IR signature and model.
type Entry = (&'static str, u64, &'static str, Model);

/// Built once: the address of a function may be another in each place that asks for it, since the
/// compiler may copy it.
pub static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    vec![
        (
            "narrow",
            narrow as *const () as u64,
            "(i8, u8, i16, u16, i32, u32) -> i64",
            |a| {
                narrow(
                    a[0] as i8,
                    a[1] as u8,
                    a[2] as i16,
                    a[3] as u16,
                    a[4] as i32,
                    a[5] as u32,
                ) as u64
            },
        ),
        (
            "extended",
            extended as *const () as u64,
            "(i8, u8, i16, u16) -> i64",
            |a| {
                let [a, b, c, d] = [
                    a[0] as i8 as i32,
                    a[1] as i32,
                    a[2] as i16 as i32,
                    a[3] as i32,
                ];
                extended(a, b, c, d) as u64
            },
        ),
        ("dirty_i8", dirty as *const () as u64, "(i64) -> i8", |a| {
            dirty(a[0])
        }),
        (
            "dirty_u16",
            dirty as *const () as u64,
            "(i64) -> u16",
            |a| dirty(a[0]),
        ),
        (
            "dirty_i32",
            dirty as *const () as u64,
            "(i64) -> i32",
            |a| dirty(a[0]),
        ),
        (
            "floats",
            floats as *const () as u64,
            "(f32, f64, f32, f64) -> f64",
            |a| {
                let single = |bits: u64| f32::from_bits(bits as u32);
                let double = f64::from_bits;
                floats(single(a[0]), double(a[1]), single(a[2]), double(a[3])).to_bits()
            },
        ),
        ("single", single as *const () as u64, "(f32) -> f32", |a| {
            u64::from(single(f32::from_bits(a[0] as u32)).to_bits())
        }),
        (
            "many",
            many as *const () as u64,
            "(i64, f64, i32, i8, u64, u16, f32, i64, i64, u8, i64, i32) -> i64",
            |a| {
                many(
                    a[0] as i64,
                    f64::from_bits(a[1]),
                    a[2] as i32,
                    a[3] as i8,
                    a[4],
                    a[5] as u16,
                    f32::from_bits(a[6] as u32),
                    a[7] as i64,
                    a[8] as i64,
                    a[9] as u8,
                    a[10] as i64,
                    a[11] as i32,
                ) as u64
            },
        ),
        (
            "four",
            four as *const () as u64,
            "(i64, i64, i64, i64) -> i64",
            |a| four(a[0], a[1], a[2], a[3]),
        ),
        ("nothing", nothing as *const () as u64, "(i64)", |_| 0),
    ]
});

/// The models by address.
pub fn models() -> HashMap<u64, Model> {
    ALL.iter()
        .map(|(_, address, _, model)| (*address, *model))
        .collect()
}

extern "C" fn narrow(a: i8, b: u8, c: i16, d: u16, e: i32, f: u32) -> i64 {
    let mut sum = i64::from(a);
    for value in [
        i64::from(b),
        i64::from(c),
        i64::from(d),
        i64::from(e),
        i64::from(f),
    ] {
        sum = sum.wrapping_mul(31).wrapping_add(value);
    }
    sum
}

/// Declared narrower than it is: sees the extension that callers owe.
extern "C" fn extended(a: i32, b: i32, c: i32, d: i32) -> i64 {
    let mut sum = i64::from(a);
    for value in [b, c, d] {
        sum = sum.wrapping_mul(65_599).wrapping_add(i64::from(value));
    }
    sum
}

/// Declared with a narrow result: the bits above it are anything, as a C compiler may leave them.
extern "C" fn dirty(a: u64) -> u64 {
    a ^ 0xdead_beef_5a5a_5a80
}

extern "C" fn floats(a: f32, b: f64, c: f32, d: f64) -> f64 {
    f64::from(a) * 2.0 + b * 3.0 - f64::from(c) * 5.0 + d
}

extern "C" fn single(a: f32) -> f32 {
    a * 0.5
}

extern "C" fn many(
    a: i64,
    b: f64,
    c: i32,
    d: i8,
    e: u64,
    f: u16,
    g: f32,
    h: i64,
    i: i64,
    j: u8,
    k: i64,
    l: i32,
) -> i64 {
    let mut sum = a;
    for value in [
        b.to_bits() as i64,
        i64::from(c),
        i64::from(d),
        e as i64,
        i64::from(f),
        i64::from(g.to_bits()),
        h,
        i,
        i64::from(j),
        k,
        i64::from(l),
    ] {
        sum = sum.wrapping_mul(31).wrapping_add(value);
    }
    sum
}

extern "C" fn four(a: u64, b: u64, c: u64, d: u64) -> u64 {
    a.wrapping_sub(b.rotate_left(7)) ^ c.wrapping_mul(d | 1)
}

extern "C" fn nothing(_: u64) {}
