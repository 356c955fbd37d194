//! How long each tier takes for one thunk. It measures, so it is asked for:
//! `cargo test --release -p gijit-llvm --test latency -- --ignored --nocapture`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use gijit::code::{CodeLabel, CodeMemory};
use gijit::compile::backend::Backend;
use gijit::compile::plugin::LlvmPlugin;
use gijit::ir::{Function, text, verify};
use gijit_cranelift::CraneliftBackend;

const ROUNDS: usize = 200;

/// The shape of a specialised thunk: guards on two arguments, a call, a boxed result, ways out.
fn thunk(arguments: usize) -> Function {
    let mut out = String::from(
        "thunk \"GLib.measured\" (ptr, ptr, i64, ptr) -> ptr
  symbol @0 \"lower\" = 0x7f0000001000
  symbol @1 \"native\" = 0x7f0000002000
  symbol @2 \"PyFloat_Type\" = 0x7f0000003000
  symbol @3 \"PyFloat_FromDouble\" = 0x7f0000004000
  symbol @4 \"unbox\" = 0x7f0000005000
  signature $0 (ptr, ptr, i64, ptr) -> ptr\n",
    );
    let doubles = vec!["f64"; arguments].join(", ");
    out += &format!("  signature $1 ({doubles}) -> f64\n  signature $2 (f64) -> ptr\n");
    out += "  signature $3 (ptr, ptr) -> i32\n  slot s0 8\n";
    out += "block0(v0: ptr, v1: ptr, v2: i64, v3: ptr):\n";
    out += &format!("  v4: i64 = const {arguments:#x}\n  v5: i64 = const 0x7fffffffffffffff\n");
    out += "  v6: i64 = and v2, v5\n  v7: i8 = ne v6, v4\n  branch v7, block1, block2\n";
    out += "block1 cold:\n  tailcall @0 $0 (v0, v1, v2, v3)\n";
    let (mut value, mut block) = (8, 2);
    let mut converted = Vec::new();
    for argument in 0..arguments {
        let [
            object,
            ty,
            wanted,
            fits,
            fast,
            place,
            status,
            none,
            failed,
            slow,
            result,
        ] = std::array::from_fn(|n| value + n);
        value += 11;
        let [unboxed, call, ok, end] = std::array::from_fn(|n| block + 1 + n);
        out += &format!(
            "block{block}:
  ; in {argument}: double
  v{object}: ptr = load v1+{}
  v{ty}: ptr = load v{object}+8
  v{wanted}: ptr = addr @2
  v{fits}: i8 = eq v{ty}, v{wanted}
  branch v{fits}, block{unboxed}, block{call}
block{unboxed}:
  v{fast}: f64 = load v{object}+16
  jump block{end}(v{fast})
block{call} cold:
  v{place}: ptr = addr s0
  v{status}: i32 = call @4 $3 (v{object}, v{place})
  v{none}: i32 = const 0x0
  v{failed}: i8 = ne v{status}, v{none}
  branch v{failed}, block1, block{ok}
block{ok} cold:
  v{slow}: f64 = load v{place}+0
  jump block{end}(v{slow})
block{end}(v{result}: f64):
  jump block{}\n",
            argument * 8,
            end + 1
        );
        converted.push(format!("v{result}"));
        block = end + 1;
    }
    out += &format!(
        "block{block}:
  v{value}: f64 = call @1 $1 ({})
  v{}: ptr = call @3 $2 (v{value})
  return v{}\n",
        converted.join(", "),
        value + 1,
        value + 1
    );
    text::parse(&out).unwrap_or_else(|error| panic!("{error}\n{out}"))
}

fn measure(name: &str, backend: &mut dyn Backend, function: &Function) {
    let memory = CodeMemory::new(16 << 20);
    let label = CodeLabel {
        callable: name,
        tier: 2,
        steps: &[],
    };
    let start = Instant::now();
    let code = backend.compile(function).unwrap();
    let first = start.elapsed();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let code = backend.compile(function).unwrap();
            let handle = memory.place(&code, &label).unwrap();
            let time = start.elapsed();
            memory.retire(handle);
            time
        })
        .collect();
    times.sort();
    let ops: usize = function.blocks.iter().map(|b| b.insts.len() + 1).sum();
    println!(
        "{name:10} {ops:4} ops {:5} bytes; first {first:>8.1?}, median {:>8.1?}, worst {:>8.1?}",
        code.bytes.len(),
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
}

/// Resident memory in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|n| n.parse().ok()).unwrap()
}

#[test]
#[ignore = "measures"]
fn latency() {
    let mut cranelift = CraneliftBackend::new().unwrap();
    let path = std::env::current_exe().unwrap();
    let path: PathBuf = path.with_file_name("libgijit_llvm.so");
    let before = resident();
    let start = Instant::now();
    let mut llvm = LlvmPlugin::load(&path).unwrap();
    println!(
        "LLVM {} loaded in {:.1?}, {} KiB",
        llvm.version(),
        start.elapsed(),
        resident() - before
    );
    for arguments in [0, 2, 8] {
        let function = thunk(arguments);
        verify::verify(&function).unwrap();
        measure("Cranelift", &mut cranelift, &function);
        measure("LLVM", &mut llvm, &function);
        println!("resident memory: {} KiB more", resident() - before);
    }
}
