//! Inline fast paths over CPython's and PyGObject's object layouts, as thunk IR.
//!
//! A recipe reads an object the way CPython's own macros do and gives up (branches to `slow`) on
//! everything unusual; the step's helper then decides. Recipes never run Python code, never take or
//! drop a reference on an argument, and never look at an object at compile time: what they need of
//! types stands in the step's descriptor, filled with the GIL held.
//!
//! Absent: conversions that allocate or that need a lookup. They are the helpers' (`marshal/`).

mod inward;
mod outward;

use gijit::dispatch::{ArgSnapshot, seen};
use gijit::ir::builder::Builder;
use gijit::ir::{AbiType, Block, Condition, Type, Value};
use gijit::lower::Recipes;
use gijit::plan::link::Step;
use gijit::plan::{Conv, In, Out};

use crate::layout::Layout;
use crate::marshal::desc;

/// The recipes for the running interpreter.
pub struct PythonRecipes {
    layout: &'static Layout,
}

impl PythonRecipes {
    /// Recipes over a probed layout.
    pub fn new(layout: &'static Layout) -> Self {
        PythonRecipes { layout }
    }

    /// Branches to `slow` unless the exact type of `object` is `ty`. Emits nothing when a guard has
    /// established it; gives up at once when a guard has established another type.
    fn expect_type(
        &self,
        b: &mut Builder,
        object: Value,
        ty: usize,
        name: &str,
        known: Option<usize>,
        slow: Block,
    ) -> Option<()> {
        match known {
            Some(known) if known == ty => Some(()),
            Some(_) => None,
            None => {
                let found = self.type_of(b, object);
                let wanted = b.symbol_addr(name, ty as u64);
                self.expect(b, Condition::Eq, found, wanted, slow);
                Some(())
            }
        }
    }

    /// Goes on in a new block when the comparison holds, else to `slow`.
    fn expect(&self, b: &mut Builder, cond: Condition, lhs: Value, rhs: Value, slow: Block) {
        let holds = b.compare(cond, lhs, rhs);
        let go_on = b.block();
        b.branch(holds, go_on, slow);
        b.switch_to(go_on);
    }
}

impl Recipes for PythonRecipes {
    fn speculate(&self, op: &In, step: &Step, seen: &ArgSnapshot) -> Option<usize> {
        let [ty, other] = seen.types;
        if ty == 0 || other != 0 || seen.seen & seen::POLYMORPHIC != 0 {
            return None;
        }
        let layout = self.layout;
        let useful = match &op.conv {
            Conv::Boolean => ty == layout.bool_type,
            Conv::Integer(_) => ty == layout.long_type,
            Conv::Pointer => ty == layout.long_type || ty == layout.none_type,
            Conv::Float | Conv::Double => ty == layout.float_type,
            Conv::Utf8 | Conv::Filename | Conv::Unichar => {
                ty == layout.unicode_type || ty == layout.none_type
            }
            Conv::Enum { .. } | Conv::Flags { .. } => ty == desc::exact_type(step),
            Conv::Object { .. }
            | Conv::Boxed { .. }
            | Conv::Struct { .. }
            | Conv::Variant { .. } => {
                ty == layout.none_type || desc::accepted_types(step).contains(&ty)
            }
            _ => false,
        };
        (useful && (ty != layout.none_type || op.nullable)).then_some(ty)
    }

    fn type_of(&self, b: &mut Builder, object: Value) -> Value {
        b.load(Type::Ptr, object, self.layout.ob_type)
    }

    fn convert_in(
        &self,
        b: &mut Builder,
        op: &In,
        step: &Step,
        object: Value,
        known: Option<usize>,
        slow: Block,
    ) -> Option<Value> {
        if known == Some(self.layout.none_type) {
            return Some(b.iconst(op.conv.abi().ty(), 0));
        }
        inward::convert(self, b, op, step, object, known, slow)
    }

    fn convert_out(&self, b: &mut Builder, op: &Out, value: Value) -> Option<Value> {
        outward::convert(self, b, op, value)
    }

    fn free_memory(&self, b: &mut Builder, value: Value) -> bool {
        let g_free = self.layout.g_free as u64;
        b.call("g_free", g_free, &[AbiType::Ptr], None, &[value]);
        true
    }

    fn new_none(&self, b: &mut Builder) -> Value {
        let none = b.symbol_addr("None", self.layout.none as u64);
        outward::new_reference(self, b, none);
        none
    }
}
