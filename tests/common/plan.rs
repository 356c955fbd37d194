//! The smallest plan. Apart from the rest, because the loom tests need only this.

use gijit::plan::link::Linked;
use gijit::plan::{Call, Plan, ResultShape};

/// `void name(void)`.
pub fn linked(name: &str) -> Linked {
    Linked {
        plan: Plan {
            name: name.into(),
            symbol: "native".into(),
            constructor: false,
            params: Vec::new(),
            rest: None,
            ins: Vec::new(),
            call: Call {
                target: None,
                args: Vec::new(),
                result: None,
                error: None,
            },
            outs: Vec::new(),
            release: Vec::new(),
            result: ResultShape::None,
            cells: 0,
        },
        native: 0x2000,
        ins: Vec::new(),
        undo: Vec::new(),
        outs: Vec::new(),
        release: Vec::new(),
        result: None,
        bind_desc: 0,
    }
}
