//! Thunk IR: the small typed language between a plan and machine code.
//!
//! One lowering (`lower/`) writes it; the Cranelift and the LLVM tier translate it op by op, so a
//! fast path is written once and cannot differ between tiers. It is in SSA form with block
//! parameters. A function is a plain value: it can be verified ([`verify`]), printed and parsed
//! ([`text`]), and it knows nothing of Python or of typelibs.
//!
//! Invariants, checked by [`verify::verify`]:
//! * every value of the table is defined exactly once, before its uses, in a block that dominates them;
//! * every block ends in one terminator, and a target's arguments fit the block's parameters;
//! * operand types fit the op; call arguments fit the call's signature;
//! * the entry block is block 0, its parameters are the function's, and nothing jumps to it.
//!
//! Absent on purpose: there is no memory model beyond plain loads and stores (thunks run with the GIL
//! held), and there are no exceptions: a helper reports failure in its result.

pub mod builder;
pub mod steps;
pub mod text;
pub mod verify;

/// The type of a value. Comparisons give an `I8` that is 0 or 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Type {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    /// A machine address, 64 bits.
    Ptr,
}

/// The type of an argument or a result in a call: a [`Type`] and how a narrow integer is extended
/// (the caller extends arguments, as clang and gcc expect on every ABI that we run on).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AbiType {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    Ptr,
}

impl AbiType {
    /// The type of the value that carries it.
    pub fn ty(self) -> Type {
        match self {
            AbiType::I8 | AbiType::U8 => Type::I8,
            AbiType::I16 | AbiType::U16 => Type::I16,
            AbiType::I32 | AbiType::U32 => Type::I32,
            AbiType::I64 | AbiType::U64 => Type::I64,
            AbiType::F32 => Type::F32,
            AbiType::F64 => Type::F64,
            AbiType::Ptr => Type::Ptr,
        }
    }

    /// Whether a narrow integer is extended by its sign.
    pub fn signed(self) -> bool {
        matches!(
            self,
            AbiType::I8 | AbiType::I16 | AbiType::I32 | AbiType::I64
        )
    }

    /// Its size in bytes.
    pub fn size(self) -> u32 {
        match self.ty() {
            Type::I8 => 1,
            Type::I16 => 2,
            Type::I32 | Type::F32 => 4,
            Type::I64 | Type::F64 | Type::Ptr => 8,
        }
    }
}

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a position in the function's table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// An SSA value, printed `v7`.
    Value
);
index!(
    /// A basic block, printed `block2`.
    Block
);
index!(
    /// A piece of the stack frame, printed `s0`.
    StackSlot
);
index!(
    /// An entry of [`Function::symbols`], printed `@3`.
    Symbol
);
index!(
    /// An entry of [`Function::signatures`], printed `$1`.
    SigRef
);

/// A named address: a helper, the native function, a type object, a descriptor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymbolDecl {
    pub name: String,
    /// Fixed for the life of the process. Golden files leave it out.
    pub address: u64,
}

/// The C signature of a call.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct CallSignature {
    pub params: Vec<AbiType>,
    pub result: Option<AbiType>,
}

/// Integer and float arithmetic on two operands of the same type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    /// Shift amounts are taken modulo the width.
    Shl,
    /// Logical shift right.
    Shr,
    /// Arithmetic shift right.
    Sar,
}

/// Integer and address comparisons (`Ult` and the like are unsigned), and ordered float ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    Eq,
    Ne,
    Slt,
    Sle,
    Sgt,
    Sge,
    Ult,
    Ule,
    Ugt,
    Uge,
    /// Float, ordered: false when an operand is not a number.
    Feq,
    Flt,
    Fle,
}

/// Conversions of one value; the destination type is the defined value's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConvertOp {
    /// Integer to a wider one, zeros above.
    Zext,
    /// Integer to a wider one, sign above.
    Sext,
    /// Integer to a narrower one.
    Trunc,
    /// Same width, other type: i64 and f64, i32 and f32, i64 and ptr.
    Bitcast,
    /// Signed integer to float.
    SintToFloat,
    /// f64 to f32, rounding to nearest.
    Fdemote,
    /// f32 to f64.
    Fpromote,
}

/// What a call enters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callee {
    Symbol(Symbol),
    /// An address computed or loaded at run time.
    Value(Value),
}

/// One op without control flow. `dst` is the value that it defines.
#[derive(Clone, PartialEq, Debug)]
pub enum Inst {
    /// The bits of a constant; for a float its IEEE bits. Those above the type's width are ignored.
    Const { dst: Value, bits: u64 },
    /// The address of a symbol.
    SymbolAddr { dst: Value, symbol: Symbol },
    /// The address of a stack slot (8-byte aligned).
    SlotAddr { dst: Value, slot: StackSlot },
    /// Assumes no alignment.
    Load {
        dst: Value,
        base: Value,
        offset: i32,
    },
    Store {
        value: Value,
        base: Value,
        offset: i32,
    },
    Binary {
        dst: Value,
        op: BinaryOp,
        lhs: Value,
        rhs: Value,
    },
    Compare {
        dst: Value,
        cond: Condition,
        lhs: Value,
        rhs: Value,
    },
    Convert {
        dst: Value,
        op: ConvertOp,
        value: Value,
    },
    Select {
        dst: Value,
        cond: Value,
        on_true: Value,
        on_false: Value,
    },
    Call {
        dst: Option<Value>,
        callee: Callee,
        sig: SigRef,
        args: Vec<Value>,
    },
    /// No code: says which step of the plan the ops that follow belong to.
    Note { text: String },
}

/// A jump's destination and the values for its block parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub block: Block,
    pub args: Vec<Value>,
}

/// How a block ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Terminator {
    Jump(Target),
    /// To `then` when `cond` (an `I8`) is not 0. A cold block as target is the unlikely side.
    Branch {
        cond: Value,
        then: Target,
        otherwise: Target,
    },
    Return(Value),
    /// A call whose result is returned: bailing to a lower tier. `sig` equals the function's own
    /// signature, so a back end may make it a jump; the frame may be gone then, so no argument may
    /// lead into a stack slot.
    TailCall {
        callee: Callee,
        sig: SigRef,
        args: Vec<Value>,
    },
}

/// A basic block.
#[derive(Clone, PartialEq, Debug)]
pub struct BlockData {
    pub params: Vec<Value>,
    pub insts: Vec<Inst>,
    /// `None` only while the block is being built.
    pub terminator: Option<Terminator>,
    /// Placed out of line.
    pub cold: bool,
}

/// One thunk. Block 0 is the entry; its parameters are the function's.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// The callable's name, as in `GLib.random_double_range`.
    pub name: String,
    /// The function's own signature.
    pub signature: CallSignature,
    pub symbols: Vec<SymbolDecl>,
    pub signatures: Vec<CallSignature>,
    /// Sizes in bytes.
    pub slots: Vec<u32>,
    /// The type of each value.
    pub values: Vec<Type>,
    pub blocks: Vec<BlockData>,
}

impl Terminator {
    /// Where it may go.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let pair = match self {
            Terminator::Jump(target) => [Some(target), None],
            Terminator::Branch {
                then, otherwise, ..
            } => [Some(then), Some(otherwise)],
            Terminator::Return(_) | Terminator::TailCall { .. } => [None, None],
        };
        pair.into_iter().flatten()
    }
}

impl Function {
    /// The blocks that can be reached, each after those that dominate it. Back ends translate in
    /// this order, so that a value is known before its uses.
    pub fn reverse_postorder(&self) -> Vec<Block> {
        let mut visited = vec![false; self.blocks.len()];
        let mut order = Vec::new();
        // A block on the stack with `true` has had its successors visited.
        let mut stack = vec![(Block(0), false)];
        while let Some((block, finished)) = stack.pop() {
            if finished {
                order.push(block);
                continue;
            }
            if std::mem::replace(&mut visited[block.index()], true) {
                continue;
            }
            stack.push((block, true));
            let terminator = self.blocks[block.index()].terminator.as_ref();
            for target in terminator.into_iter().flat_map(Terminator::targets) {
                stack.push((target.block, false));
            }
        }
        order.reverse();
        order
    }

    /// The type of `value`.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value.index()]
    }
}
