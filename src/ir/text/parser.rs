//! Reads the text form back, line by line.

use super::*;

/// What is wrong with a text, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

type Parsed<T> = Result<T, String>;

/// More values than any thunk has: a number beyond it is an error, not a table of that size.
const MAX_VALUES: usize = 1 << 20;

/// Reads what [`print`] writes. It does not verify: [`super::super::verify`] does.
///
/// # Errors
/// The first line that is not of the form, and why.
pub fn parse(text: &str) -> Result<Function, ParseError> {
    let mut function = Function {
        name: String::new(),
        signature: CallSignature {
            params: Vec::new(),
            result: None,
        },
        symbols: Vec::new(),
        signatures: Vec::new(),
        slots: Vec::new(),
        values: Vec::new(),
        blocks: Vec::new(),
    };
    let mut first = true;
    for (index, line) in text.lines().enumerate() {
        let mut cursor = Cursor { rest: line.trim() };
        if cursor.rest.is_empty() {
            continue;
        }
        read_line(&mut function, &mut cursor, first).map_err(|message| ParseError {
            line: index + 1,
            message,
        })?;
        first = false;
    }
    if function.blocks.is_empty() {
        return Err(ParseError {
            line: 1,
            message: "there is no thunk".to_owned(),
        });
    }
    Ok(function)
}

fn read_line(function: &mut Function, c: &mut Cursor<'_>, first: bool) -> Parsed<()> {
    if first {
        c.expect("thunk")?;
        function.name = c.string()?;
        function.signature = c.call_signature()?;
    } else if let Some(text) = c.rest.strip_prefix(';') {
        let text = text.strip_prefix(' ').unwrap_or(text).to_owned();
        block(function)?.insts.push(Inst::Note { text });
        return Ok(());
    } else if c.eat("symbol") {
        c.expect_index("@", function.symbols.len())?;
        let name = c.string()?;
        let address = if c.eat("=") { c.number()? } else { 0 };
        function.symbols.push(SymbolDecl { name, address });
    } else if c.eat("signature") {
        c.expect_index("$", function.signatures.len())?;
        let signature = c.call_signature()?;
        function.signatures.push(signature);
    } else if c.eat("slot") {
        c.expect_index("s", function.slots.len())?;
        let size = c.number()?;
        function
            .slots
            .push(u32::try_from(size).map_err(|_| format!("{size} is too large"))?);
    } else if c.rest.starts_with("block") {
        c.expect_index("block", function.blocks.len())?;
        let mut params = Vec::new();
        if c.eat("(") {
            c.list(")", |c| {
                params.push(c.definition(&mut function.values)?);
                Ok(())
            })?;
        }
        let cold = c.eat("cold");
        c.expect(":")?;
        function.blocks.push(BlockData {
            params,
            insts: Vec::new(),
            terminator: None,
            cold,
        });
    } else if let Some(terminator) = c.terminator()? {
        let block = block(function)?;
        if block.terminator.is_some() {
            return Err("the block already has its terminator".to_owned());
        }
        block.terminator = Some(terminator);
    } else {
        let inst = c.inst(&mut function.values)?;
        block(function)?.insts.push(inst);
    }
    match c.rest {
        "" => Ok(()),
        rest => Err(format!("{rest:?} is left over")),
    }
}

fn block(function: &mut Function) -> Parsed<&mut BlockData> {
    function
        .blocks
        .last_mut()
        .ok_or_else(|| "an op outside of a block".to_owned())
}

/// The character of a `{1f}` that follows `\u`, and how many bytes it takes.
fn unicode_escape(rest: &str) -> Option<(char, usize)> {
    let end = rest.find('}')?;
    let digits = rest[..end].strip_prefix('{')?;
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((c, end + 1))
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        match self.eat(token) {
            true => Ok(()),
            false => Err(format!("expected {token:?} before {:?}", self.rest)),
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn number(&mut self) -> Parsed<u64> {
        let word = self.word();
        let parsed = match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => word.parse(),
        };
        parsed.map_err(|_| format!("{word:?} is no number"))
    }

    fn plain_index(&mut self) -> Parsed<u32> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| format!("{number} is too large for an index"))
    }

    fn index(&mut self, prefix: &str) -> Parsed<u32> {
        self.expect(prefix)?;
        self.plain_index()
    }

    /// The index of the next entry of a table: the text lists tables in order.
    fn expect_index(&mut self, prefix: &str, next: usize) -> Parsed<()> {
        let index = self.index(prefix)?;
        match index as usize == next {
            true => Ok(()),
            false => Err(format!("{prefix}{index} where {prefix}{next} comes next")),
        }
    }

    fn value(&mut self) -> Parsed<Value> {
        self.index("v").map(Value)
    }

    fn string(&mut self) -> Parsed<String> {
        let body = self
            .rest
            .strip_prefix('"')
            .ok_or("expected a quoted name")?;
        let mut out = String::new();
        let mut chars = body.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = body[at + 1..].trim_start();
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => out.push(escaped),
                    Some((at, 'u')) => {
                        let (c, length) = unicode_escape(&body[at + 1..])
                            .ok_or("an escape that is no character")?;
                        out.push(c);
                        for _ in 0..length {
                            chars.next();
                        }
                    }
                    _ => return Err("an escape that names do not use".to_owned()),
                },
                c => out.push(c),
            }
        }
        Err("the name has no closing quote".to_owned())
    }

    /// Items up to `end`, separated by commas; `end` is consumed.
    fn list(&mut self, end: &str, mut item: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        if self.eat(end) {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.eat(end) {
                return Ok(());
            }
            self.expect(",")?;
        }
    }

    fn values(&mut self) -> Parsed<Vec<Value>> {
        let mut values = Vec::new();
        self.list(")", |c| {
            values.push(c.value()?);
            Ok(())
        })?;
        Ok(values)
    }

    fn abi_type(&mut self) -> Parsed<AbiType> {
        let word = self.word();
        value_of(ABI_TYPES, word).ok_or_else(|| format!("{word:?} is no type"))
    }

    fn call_signature(&mut self) -> Parsed<CallSignature> {
        self.expect("(")?;
        let mut params = Vec::new();
        self.list(")", |c| {
            params.push(c.abi_type()?);
            Ok(())
        })?;
        let result = if self.eat("->") {
            Some(self.abi_type()?)
        } else {
            None
        };
        Ok(CallSignature { params, result })
    }

    /// `v7: i64`, entered into the table of types.
    fn definition(&mut self, types: &mut Vec<Type>) -> Parsed<Value> {
        let value = self.value()?;
        self.expect(":")?;
        let word = self.word();
        let ty = value_of(TYPES, word).ok_or_else(|| format!("{word:?} is no type"))?;
        if value.index() >= MAX_VALUES {
            return Err(format!("v{} is more values than a thunk has", value.0));
        }
        if types.len() <= value.index() {
            // A value that is never defined keeps this type; the verifier rejects it.
            types.resize(value.index() + 1, Type::I8);
        }
        types[value.index()] = ty;
        Ok(value)
    }

    fn offset(&mut self) -> Parsed<i32> {
        let negative = self.rest.starts_with('-');
        if !negative && !self.rest.starts_with('+') {
            return Err("expected an offset".to_owned());
        }
        self.rest = &self.rest[1..];
        let number = i64::try_from(self.number()?).map_err(|_| "the offset is too large")?;
        let signed = if negative { -number } else { number };
        i32::try_from(signed).map_err(|_| "the offset is too large".to_owned())
    }

    fn call(&mut self) -> Parsed<(Callee, SigRef, Vec<Value>)> {
        let callee = if self.rest.starts_with('@') {
            Callee::Symbol(Symbol(self.index("@")?))
        } else {
            Callee::Value(self.value()?)
        };
        let sig = SigRef(self.index("$")?);
        self.expect("(")?;
        Ok((callee, sig, self.values()?))
    }

    fn target(&mut self) -> Parsed<Target> {
        let block = Block(self.index("block")?);
        let args = if self.eat("(") {
            self.values()?
        } else {
            Vec::new()
        };
        Ok(Target { block, args })
    }

    fn terminator(&mut self) -> Parsed<Option<Terminator>> {
        Ok(Some(if self.eat("jump ") {
            Terminator::Jump(self.target()?)
        } else if self.eat("branch ") {
            let cond = self.value()?;
            self.expect(",")?;
            let then = self.target()?;
            self.expect(",")?;
            Terminator::Branch {
                cond,
                then,
                otherwise: self.target()?,
            }
        } else if self.eat("return ") {
            Terminator::Return(self.value()?)
        } else if self.eat("tailcall ") {
            let (callee, sig, args) = self.call()?;
            Terminator::TailCall { callee, sig, args }
        } else {
            return Ok(None);
        }))
    }

    fn inst(&mut self, types: &mut Vec<Type>) -> Parsed<Inst> {
        if self.eat("store ") {
            let value = self.value()?;
            self.expect(",")?;
            let base = self.value()?;
            return Ok(Inst::Store {
                value,
                base,
                offset: self.offset()?,
            });
        }
        if self.eat("call ") {
            let (callee, sig, args) = self.call()?;
            return Ok(Inst::Call {
                dst: None,
                callee,
                sig,
                args,
            });
        }
        let dst = self.definition(types)?;
        self.expect("=")?;
        let word = self.word();
        Ok(match word {
            "const" => Inst::Const {
                dst,
                bits: self.number()?,
            },
            "addr" if self.rest.starts_with('@') => Inst::SymbolAddr {
                dst,
                symbol: Symbol(self.index("@")?),
            },
            "addr" => Inst::SlotAddr {
                dst,
                slot: StackSlot(self.index("s")?),
            },
            "load" => {
                let base = self.value()?;
                Inst::Load {
                    dst,
                    base,
                    offset: self.offset()?,
                }
            }
            "select" => {
                let cond = self.value()?;
                self.expect(",")?;
                let on_true = self.value()?;
                self.expect(",")?;
                Inst::Select {
                    dst,
                    cond,
                    on_true,
                    on_false: self.value()?,
                }
            }
            "call" => {
                let (callee, sig, args) = self.call()?;
                Inst::Call {
                    dst: Some(dst),
                    callee,
                    sig,
                    args,
                }
            }
            _ => self.arithmetic(dst, word)?,
        })
    }

    fn arithmetic(&mut self, dst: Value, word: &str) -> Parsed<Inst> {
        let lhs = self.value()?;
        if let Some(op) = value_of(CONVERSIONS, word) {
            return Ok(Inst::Convert {
                dst,
                op,
                value: lhs,
            });
        }
        self.expect(",")?;
        let rhs = self.value()?;
        if let Some(op) = value_of(BINARY, word) {
            return Ok(Inst::Binary { dst, op, lhs, rhs });
        }
        match value_of(CONDITIONS, word) {
            Some(cond) => Ok(Inst::Compare {
                dst,
                cond,
                lhs,
                rhs,
            }),
            None => Err(format!("{word:?} is no op")),
        }
    }
}
