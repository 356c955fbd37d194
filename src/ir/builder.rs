//! Writes a [`Function`] block by block.
//!
//! The builder appends to one current block. It interns symbols and signatures, so that a helper
//! used twice is one entry. It checks nothing: [`super::verify`] does, on the finished function.

use super::*;

/// Builds one [`Function`].
pub struct Builder {
    function: Function,
    current: Block,
}

impl Builder {
    /// Starts a function whose entry block has one parameter per type of `signature`.
    pub fn new(name: &str, signature: CallSignature) -> Self {
        let mut builder = Builder {
            function: Function {
                name: name.to_owned(),
                signature: signature.clone(),
                symbols: Vec::new(),
                signatures: Vec::new(),
                slots: Vec::new(),
                values: Vec::new(),
                blocks: Vec::new(),
            },
            current: Block(0),
        };
        builder.block();
        for ty in signature.params {
            builder.block_param(Block(0), ty.ty());
        }
        builder
    }

    /// The finished function.
    pub fn finish(self) -> Function {
        self.function
    }

    /// The function's parameters.
    pub fn params(&self) -> &[Value] {
        &self.function.blocks[0].params
    }

    /// The type of `value`.
    pub fn ty(&self, value: Value) -> Type {
        self.function.ty(value)
    }

    /// A new empty block.
    pub fn block(&mut self) -> Block {
        self.function.blocks.push(BlockData {
            params: Vec::new(),
            insts: Vec::new(),
            terminator: None,
            cold: false,
        });
        Block(self.function.blocks.len() as u32 - 1)
    }

    /// A new empty block that is placed out of line.
    pub fn cold_block(&mut self) -> Block {
        let block = self.block();
        self.function.blocks[block.index()].cold = true;
        block
    }

    /// Adds a parameter to `block`.
    pub fn block_param(&mut self, block: Block, ty: Type) -> Value {
        let value = self.value(ty);
        self.function.blocks[block.index()].params.push(value);
        value
    }

    /// Makes `block` the one that is appended to.
    pub fn switch_to(&mut self, block: Block) {
        self.current = block;
    }

    /// The block that is appended to.
    pub fn current(&self) -> Block {
        self.current
    }

    /// Whether the current block already has its terminator.
    pub fn terminated(&self) -> bool {
        self.function.blocks[self.current.index()]
            .terminator
            .is_some()
    }

    /// A stack slot of `size` bytes.
    pub fn slot(&mut self, size: u32) -> StackSlot {
        self.function.slots.push(size);
        StackSlot(self.function.slots.len() as u32 - 1)
    }

    /// The symbol `name`, declared on first use.
    pub fn symbol(&mut self, name: &str, address: u64) -> Symbol {
        let symbols = &mut self.function.symbols;
        let at = symbols
            .iter()
            .position(|s| s.name == name && s.address == address);
        Symbol(at.unwrap_or_else(|| {
            symbols.push(SymbolDecl {
                name: name.to_owned(),
                address,
            });
            symbols.len() - 1
        }) as u32)
    }

    /// The call signature, declared on first use.
    pub fn signature(&mut self, params: &[AbiType], result: Option<AbiType>) -> SigRef {
        let signature = CallSignature {
            params: params.to_vec(),
            result,
        };
        let signatures = &mut self.function.signatures;
        let at = signatures.iter().position(|s| *s == signature);
        SigRef(at.unwrap_or_else(|| {
            signatures.push(signature);
            signatures.len() - 1
        }) as u32)
    }

    pub fn iconst(&mut self, ty: Type, bits: i64) -> Value {
        let dst = self.value(ty);
        self.push(Inst::Const {
            dst,
            bits: bits as u64,
        });
        dst
    }

    pub fn symbol_addr(&mut self, name: &str, address: u64) -> Value {
        let symbol = self.symbol(name, address);
        let dst = self.value(Type::Ptr);
        self.push(Inst::SymbolAddr { dst, symbol });
        dst
    }

    pub fn slot_addr(&mut self, slot: StackSlot) -> Value {
        let dst = self.value(Type::Ptr);
        self.push(Inst::SlotAddr { dst, slot });
        dst
    }

    pub fn load(&mut self, ty: Type, base: Value, offset: i32) -> Value {
        let dst = self.value(ty);
        self.push(Inst::Load { dst, base, offset });
        dst
    }

    pub fn store(&mut self, value: Value, base: Value, offset: i32) {
        self.push(Inst::Store {
            value,
            base,
            offset,
        });
    }

    pub fn binary(&mut self, op: BinaryOp, lhs: Value, rhs: Value) -> Value {
        let dst = self.value(self.ty(lhs));
        self.push(Inst::Binary { dst, op, lhs, rhs });
        dst
    }

    pub fn compare(&mut self, cond: Condition, lhs: Value, rhs: Value) -> Value {
        let dst = self.value(Type::I8);
        self.push(Inst::Compare {
            dst,
            cond,
            lhs,
            rhs,
        });
        dst
    }

    pub fn convert(&mut self, op: ConvertOp, ty: Type, value: Value) -> Value {
        let dst = self.value(ty);
        self.push(Inst::Convert { dst, op, value });
        dst
    }

    pub fn select(&mut self, cond: Value, on_true: Value, on_false: Value) -> Value {
        let dst = self.value(self.ty(on_true));
        self.push(Inst::Select {
            dst,
            cond,
            on_true,
            on_false,
        });
        dst
    }

    /// A call of the C function at `address`; its result when `result` is given.
    pub fn call(
        &mut self,
        name: &str,
        address: u64,
        params: &[AbiType],
        result: Option<AbiType>,
        args: &[Value],
    ) -> Option<Value> {
        let callee = Callee::Symbol(self.symbol(name, address));
        self.call_to(callee, params, result, args)
    }

    /// Calls `callee`.
    pub fn call_to(
        &mut self,
        callee: Callee,
        params: &[AbiType],
        result: Option<AbiType>,
        args: &[Value],
    ) -> Option<Value> {
        let sig = self.signature(params, result);
        let dst = result.map(|ty| self.value(ty.ty()));
        self.push(Inst::Call {
            dst,
            callee,
            sig,
            args: args.to_vec(),
        });
        dst
    }

    /// Says that the ops that follow belong to the plan step `text`.
    /// The text becomes one line.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into().replace(char::is_control, " ");
        self.push(Inst::Note {
            text: text.trim().to_owned(),
        });
    }

    pub fn jump(&mut self, block: Block, args: &[Value]) {
        self.terminate(Terminator::Jump(Target {
            block,
            args: args.to_vec(),
        }));
    }

    /// Branches to `then` or `otherwise`, neither of which takes parameters.
    pub fn branch(&mut self, cond: Value, then: Block, otherwise: Block) {
        self.terminate(Terminator::Branch {
            cond,
            then: Target {
                block: then,
                args: Vec::new(),
            },
            otherwise: Target {
                block: otherwise,
                args: Vec::new(),
            },
        });
    }

    pub fn ret(&mut self, value: Value) {
        self.terminate(Terminator::Return(value));
    }

    /// Returns what `callee` returns when called with the function's own signature.
    pub fn tail_call(&mut self, callee: Callee, args: &[Value]) {
        let own = self.function.signature.clone();
        let sig = self.signature(&own.params, own.result);
        self.terminate(Terminator::TailCall {
            callee,
            sig,
            args: args.to_vec(),
        });
    }

    fn value(&mut self, ty: Type) -> Value {
        self.function.values.push(ty);
        Value(self.function.values.len() as u32 - 1)
    }

    fn push(&mut self, inst: Inst) {
        self.function.blocks[self.current.index()].insts.push(inst);
    }

    fn terminate(&mut self, terminator: Terminator) {
        self.function.blocks[self.current.index()].terminator = Some(terminator);
    }
}
