//! PTX read into instructions (PTX ISA 8.5, chapters 4 and 5): what NVRTC writes of our kernels, and
//! an error for all else.

use std::collections::HashMap;

use super::code::{Code, decode};

/// One kernel of a module.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub name: String,
    /// Where each parameter lies among them, and its bytes.
    pub parameters: Vec<(usize, usize)>,
    pub shared_bytes: usize,
    /// Whether it has more of it, whose size is told at the start.
    pub has_room: bool,
    /// Of each thread.
    pub local_bytes: usize,
    pub ops: Vec<Op>,
    pub registers: usize,
    /// Threads of a block that it is made for.
    pub threads_max: usize,
}

/// An instruction: done by a thread where its guard holds.
#[derive(Debug)]
pub(super) struct Op {
    pub guard: Option<(usize, bool)>,
    pub code: Code,
    /// Registers that are written.
    pub to: Vec<usize>,
    pub from: Vec<Operand>,
    /// Of the text, from 1.
    pub line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand {
    Register(usize),
    Value(u64),
    Special(Special),
    /// What a register holds, and so much more.
    Address(usize, i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Thread(usize),
    Threads(usize),
    Block(usize),
    Blocks(usize),
    Lane,
}

/// Kernels of a text.
pub(super) fn kernels(text: &str) -> Result<Vec<Kernel>, String> {
    let (mut found, mut room) = (Vec::new(), None);
    let mut lines = text.lines().enumerate().map(|(at, line)| {
        let line = line.split("//").next().unwrap_or_default().trim();
        (at + 1, line.to_owned())
    });
    while let Some((_, line)) = lines.next() {
        if let Some((_, rest)) = line.split_once(".entry ") {
            let name = rest.trim_end_matches('(').to_owned();
            found.push(Reader { room: room.clone(), ..Reader::new(name) }.read(&mut lines)?);
        } else if let Some(of) = line.strip_prefix(".extern .shared ") {
            room = of.split_whitespace().last().map(|name| name.trim_end_matches("[];").to_owned());
        } else if line.starts_with(".func") || line.contains(".const") || line.contains(".global") {
            return Err(format!("not known outside a kernel: {line}"));
        }
    }
    Ok(found)
}

#[derive(Default)]
struct Reader {
    kernel: Kernel,
    registers: HashMap<String, usize>,
    /// Parameters and shared variables, and where they are.
    places: HashMap<String, usize>,
    labels: HashMap<String, usize>,
    /// What memory is called whose size is told at the start.
    room: Option<String>,
    /// Jumps that are to be told where their label is.
    jumps: Vec<(usize, String)>,
}

impl Reader {
    fn new(name: String) -> Self {
        Self { kernel: Kernel { name, ..Kernel::default() }, ..Self::default() }
    }

    fn read(mut self, lines: &mut impl Iterator<Item = (usize, String)>) -> Result<Kernel, String> {
        for (_, line) in lines.by_ref() {
            match line.as_str() {
                "{" => break,
                line if line.starts_with(".param") => self.parameter(line)?,
                line => {
                    if let Some(threads) = line.strip_prefix(".maxntid ") {
                        let first = threads.split(',').next().unwrap_or_default();
                        self.kernel.threads_max = number(first)? as usize;
                    }
                }
            }
        }
        let (mut depth, mut statement) = (1_u32, String::new());
        for (at, line) in lines {
            let mut rest = line.as_str();
            if let Some(label) = rest.strip_suffix(':') {
                self.labels.insert(label.to_owned(), self.kernel.ops.len());
                continue;
            }
            while !rest.is_empty() {
                // Braces between statements are scopes, those within are vectors.
                while statement.trim().is_empty() && rest.starts_with(['{', '}']) {
                    depth = if rest.starts_with('{') { depth + 1 } else { depth - 1 };
                    rest = rest[1..].trim_start();
                }
                let Some((before, after)) = rest.split_once(';') else {
                    statement.push_str(rest);
                    break;
                };
                statement.push_str(before);
                let whole = std::mem::take(&mut statement);
                self.statement(whole.trim(), at).map_err(|why| format!("line {at}: {why}"))?;
                rest = after.trim_start();
            }
            if depth == 0 {
                return self.end();
            }
        }
        Err(format!("{} has no end", self.kernel.name))
    }

    fn end(mut self) -> Result<Kernel, String> {
        for (at, label) in self.jumps {
            let place = self.labels.get(&label).ok_or_else(|| format!("no label {label}"))?;
            self.kernel.ops[at].code = Code::Jump(*place);
        }
        self.kernel.registers = self.registers.len();
        Ok(self.kernel)
    }

    fn parameter(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.trim_end_matches(',').split_whitespace().collect();
        let unknown = || format!("not known as a parameter: {line}");
        let (name, bytes, align) = match words.as_slice() {
            [_, ".align", align, ".b8", name] => {
                let (name, many) = name.split_once('[').ok_or_else(unknown)?;
                let bytes = number(many.trim_end_matches(']'))? as usize;
                (name, bytes, number(align)? as usize)
            }
            [_, of, name] => {
                let of = super::scalars::Type::parse(&of[1..]).ok_or_else(unknown)?;
                (*name, of.bytes(), of.bytes())
            }
            _ => return Err(unknown()),
        };
        let last = self.kernel.parameters.last();
        let place = last.map_or(0, |(at, many)| at + many).next_multiple_of(align);
        self.kernel.parameters.push((place, bytes));
        self.places.insert(name.to_owned(), place);
        Ok(())
    }

    fn statement(&mut self, text: &str, line: usize) -> Result<(), String> {
        if text.starts_with(".reg") || text.starts_with(".pragma") {
            return Ok(());
        }
        if text.starts_with(".shared") || text.starts_with(".local") {
            return self.variable(text);
        }
        let (guard, text) = match text.strip_prefix('@') {
            Some(rest) => {
                let (name, rest) = rest.split_once(char::is_whitespace).ok_or("no instruction")?;
                let is_not = name.starts_with('!');
                let register = self.register(name.trim_start_matches('!'));
                (Some((register, !is_not)), rest.trim())
            }
            None => (None, text),
        };
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let operands = split(rest);
        if name.starts_with("bra") {
            self.jumps.push((self.kernel.ops.len(), rest.trim().to_owned()));
            let op = Op { guard, code: Code::Jump(0), to: Vec::new(), from: Vec::new(), line };
            self.kernel.ops.push(op);
            return Ok(());
        }
        let (code, n_to) = decode(name)?;
        let (to, from) = operands.split_at(n_to.min(operands.len()));
        let mut written = Vec::new();
        for operand in to {
            // Two results are written with a line between them.
            for name in operand.trim_matches(['{', '}']).split([',', '|']) {
                written.push(self.register(name.trim()));
            }
        }
        let mut read = Vec::new();
        for operand in from {
            // A place, and where in a box's array it is.
            let (place, rest) = match operand.split_once(", {") {
                Some((place, rest)) if operand.starts_with('[') => (Some(place), rest),
                _ => (None, *operand),
            };
            if let Some(place) = place {
                read.push(self.operand(place)?);
            }
            for part in rest.trim_end_matches(']').trim_matches(['{', '}']).split(',') {
                read.push(self.operand(part.trim())?);
            }
        }
        self.kernel.ops.push(Op { guard, code, to: written, from: read, line });
        Ok(())
    }

    /// `.shared .align 128 .b8 name[49152]`, or a single value.
    fn variable(&mut self, text: &str) -> Result<(), String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [space, ".align", align, of, name] = words.as_slice() else {
            return Err(format!("not known as memory: {text}"));
        };
        let bytes = match *space {
            ".shared" => &mut self.kernel.shared_bytes,
            _ => &mut self.kernel.local_bytes,
        };
        let each = super::scalars::Type::parse(&of[1..]).ok_or("of no type")?.bytes();
        let (name, many) = match name.split_once('[') {
            Some((name, many)) => (name, number(many.trim_end_matches(']'))? as usize),
            None => (*name, 1),
        };
        let place = bytes.next_multiple_of(number(align)? as usize);
        *bytes = place + many * each;
        self.places.insert(name.to_owned(), place);
        Ok(())
    }

    fn register(&mut self, name: &str) -> usize {
        let next = self.registers.len();
        *self.registers.entry(name.to_owned()).or_insert(next)
    }

    fn operand(&mut self, text: &str) -> Result<Operand, String> {
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.trim_end_matches(']');
            let (base, offset) = match inside.split_once('+') {
                Some((base, offset)) => (base, offset.parse().map_err(|_| inside.to_owned())?),
                None => (inside, 0),
            };
            return Ok(match self.places.get(base) {
                Some(place) => Operand::Value(*place as u64 + offset as u64),
                None => Operand::Address(self.register(base), offset),
            });
        }
        if let Some(place) = self.places.get(text) {
            return Ok(Operand::Value(*place as u64));
        }
        if self.room.as_deref() == Some(text) {
            // Behind the rest, and no better placed than it has to be.
            self.kernel.has_room = true;
            return Ok(Operand::Value(room_at(self.kernel.shared_bytes) as u64));
        }
        if let Some(special) = special(text) {
            return Ok(Operand::Special(special));
        }
        let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        Ok(match is_number {
            true => Operand::Value(number(text)?),
            false => Operand::Register(self.register(text)),
        })
    }
}

/// Where memory is whose size is told at the start.
pub(super) fn room_at(shared_bytes: usize) -> usize {
    (shared_bytes + 1).next_multiple_of(16)
}

/// Operands between commas, vectors in one piece.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    let last = text[from..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

fn special(text: &str) -> Option<Special> {
    if text == "%laneid" {
        return Some(Special::Lane);
    }
    let (name, axis) = text.split_once('.')?;
    let axis = ["x", "y", "z"].iter().position(|one| *one == axis)?;
    Some(match name {
        "%tid" => Special::Thread(axis),
        "%ntid" => Special::Threads(axis),
        "%ctaid" => Special::Block(axis),
        "%nctaid" => Special::Blocks(axis),
        _ => return None,
    })
}

/// A number, or the bits of a float: `0f3F800000`, `0d3FF0000000000000`.
fn number(text: &str) -> Result<u64, String> {
    let bits = text.strip_prefix("0f").or_else(|| text.strip_prefix("0d"));
    let bits = bits.or_else(|| text.strip_prefix("0x"));
    let found = match bits {
        Some(bits) => u64::from_str_radix(bits, 16).ok(),
        None => text.trim_end_matches('U').parse::<i128>().ok().map(|number| number as u64),
    };
    found.ok_or_else(|| format!("no number: {text}"))
}
