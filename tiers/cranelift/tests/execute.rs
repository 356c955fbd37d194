//! Runs the corpus of the compiling tiers through Cranelift.

mod corpus;

use gijit_cranelift::CraneliftBackend;

#[test]
fn corpus() {
    corpus::run(&mut CraneliftBackend::new().unwrap());
}
