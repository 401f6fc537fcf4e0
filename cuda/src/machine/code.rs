//! What an instruction's name says.

use super::scalars::{Compare, Convert, One, Part, Rounding, Two, Type};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Code {
    Move(Type),
    One(One, Type),
    Two(Two, Type),
    /// a · b of whole numbers, and c to it.
    Sum(Part, Type),
    Fused(Type),
    Select(Type),
    Insert(Type),
    /// With a third operand, both must hold.
    Compare(Compare, Type),
    Convert(Convert),
    Load(Space, Type),
    Store(Space, Type),
    Atomic(Space, Change, Type),
    /// Sixteen bytes on their way to shared memory, those since the last mark as one group, and
    /// all but so many groups awaited.
    Fetch,
    Mark,
    Await,
    /// Barriers of Hopper, and boxes on their way to them.
    Turns(Turns),
    FetchBox,
    /// Puts in order what is so already, or hands registers round, of which there are enough.
    Order,
    Jump(usize),
    Return,
    Barrier,
    Warp(Warp),
}

/// What is done to a barrier whose turns are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turns {
    Init,
    Arrive,
    /// With so many bytes on their way.
    Expect,
    Try,
}

/// What lanes of a warp do together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Warp {
    Meet,
    Shuffle(Shuffle),
    Vote(Vote),
    LoadMatrices,
    Multiply,
    /// Of four warps, matrices in shared memory; those since the last mark as one group, and all
    /// but so many groups awaited.
    MultiplyBoxes,
    MarkBoxes,
    AwaitBoxes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shuffle {
    Across,
    Down,
    Up,
    From,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vote {
    Any,
    All,
    Ballot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Parameter,
    Local,
    Shared,
    Global,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Least,
    Most,
    Exchange,
}

/// An instruction by its name, and how many of its operands are written.
pub(super) fn decode(name: &str) -> Result<(Code, usize), String> {
    let words: Vec<&str> = name.split('.').collect();
    let unknown = || format!("not known as an instruction: {name}");
    let of = words.iter().rev().find_map(|word| Type::parse(word));
    let first = words.first().copied().unwrap_or_default();
    match first {
        "ret" | "exit" => return Ok((Code::Return, 0)),
        "bar" | "barrier" if words.get(1) == Some(&"warp") => {
            return Ok((Code::Warp(Warp::Meet), 0));
        }
        "bar" | "barrier" => return Ok((Code::Barrier, 0)),
        "fence" | "setmaxnreg" => return Ok((Code::Order, 0)),
        "cp" | "mbarrier" => return asynchronous(&words).ok_or_else(unknown),
        "shfl" | "vote" | "ldmatrix" | "mma" | "wgmma" => {
            return together(&words).ok_or_else(unknown);
        }
        _ => {}
    }
    let of = of.ok_or_else(unknown)?;
    let code = match first {
        "ld" | "st" | "atom" | "red" => return memory(&words, of).ok_or_else(unknown),
        "mov" | "cvta" => Code::Move(of),
        "selp" => Code::Select(of),
        "bfi" => Code::Insert(of),
        "fma" => Code::Fused(of),
        "mad" => Code::Sum(part(&words), of),
        "setp" => {
            let compare = words.get(1).and_then(|word| Compare::parse(word));
            match words.get(2) {
                Some(&"or" | &"xor") => return Err(unknown()),
                _ => Code::Compare(compare.ok_or_else(unknown)?, of),
            }
        }
        "cvt" => Code::Convert(convert(&words).ok_or_else(unknown)?),
        _ => scalar(first, &words, of).ok_or_else(unknown)?,
    };
    Ok((code, 1))
}

fn part(words: &[&str]) -> Part {
    match words.get(1) {
        Some(&"wide") => Part::Wide,
        Some(&"hi") => Part::High,
        _ => Part::Low,
    }
}

fn scalar(first: &str, words: &[&str], of: Type) -> Option<Code> {
    let one = |what| Some(Code::One(what, of));
    let two = |what| Some(Code::Two(what, of));
    // What is only about right has no place in a kernel that is to be the same everywhere.
    if words.contains(&"approx") || words.contains(&"ftz") || words.contains(&"sat") {
        return None;
    }
    match first {
        "neg" => one(One::Negate),
        "abs" => one(One::Absolute),
        "not" => one(One::Not),
        "sqrt" => one(One::Root),
        "rcp" => one(One::Reciprocal),
        "popc" => one(One::Count),
        "clz" => one(One::LeadingZeros),
        "add" => two(Two::Add),
        "sub" => two(Two::Subtract),
        "mul" => two(Two::Multiply(part(words))),
        "div" => two(Two::Divide),
        "rem" => two(Two::Remainder),
        "min" => two(Two::Least),
        "max" => two(Two::Most),
        "and" => two(Two::And),
        "or" => two(Two::Or),
        "xor" => two(Two::Xor),
        "shl" => two(Two::Left),
        "shr" => two(Two::Right),
        _ => None,
    }
}

fn convert(words: &[&str]) -> Option<Convert> {
    let mut types = words.iter().filter_map(|word| Type::parse(word));
    let (to, from) = (types.next()?, types.next()?);
    let told = words.iter().find_map(|word| Rounding::parse(word));
    let (rounding, is_whole) = told.unwrap_or((Rounding::Nearest, false));
    Some(Convert { to, from, rounding, is_whole })
}

fn space(words: &[&str]) -> Option<Space> {
    words.iter().find_map(|word| match *word {
        "param" => Some(Space::Parameter),
        "local" => Some(Space::Local),
        "shared" => Some(Space::Shared),
        "global" => Some(Space::Global),
        _ => None,
    })
}

fn memory(words: &[&str], of: Type) -> Option<(Code, usize)> {
    let space = space(words)?;
    let change = || {
        words.iter().find_map(|word| match *word {
            "add" => Some(Change::Add),
            "min" => Some(Change::Least),
            "max" => Some(Change::Most),
            "exch" => Some(Change::Exchange),
            _ => None,
        })
    };
    Some(match *words.first()? {
        "ld" => (Code::Load(space, of), 1),
        "st" => (Code::Store(space, of), 0),
        "atom" => (Code::Atomic(space, change()?, of), 1),
        _ => (Code::Atomic(space, change()?, of), 0),
    })
}

fn asynchronous(words: &[&str]) -> Option<(Code, usize)> {
    Some(match words {
        ["cp", "async", "commit_group"] => (Code::Mark, 0),
        ["cp", "async", "wait_group"] => (Code::Await, 0),
        ["cp", "async", "cg", "shared", "global"] => (Code::Fetch, 0),
        [
            "cp",
            "async",
            "bulk",
            "tensor",
            "2d",
            "shared::cluster",
            "global",
            "tile",
            "mbarrier::complete_tx::bytes",
        ] => (Code::FetchBox, 0),
        ["mbarrier", "init", "shared::cta", "b64"] => (Code::Turns(Turns::Init), 0),
        // What they give is thrown away.
        ["mbarrier", "arrive", "shared::cta", "b64"] => (Code::Turns(Turns::Arrive), 1),
        ["mbarrier", "arrive", "expect_tx", "shared::cta", "b64"] => {
            (Code::Turns(Turns::Expect), 1)
        }
        ["mbarrier", "try_wait", "parity", "shared::cta", "b64"] => (Code::Turns(Turns::Try), 1),
        _ => return None,
    })
}

fn together(words: &[&str]) -> Option<(Code, usize)> {
    let warp = match words {
        ["shfl", "sync", way, "b32"] => Warp::Shuffle(match *way {
            "bfly" => Shuffle::Across,
            "down" => Shuffle::Down,
            "up" => Shuffle::Up,
            "idx" => Shuffle::From,
            _ => return None,
        }),
        ["vote", "sync", way, _] => Warp::Vote(match *way {
            "any" => Vote::Any,
            "all" => Vote::All,
            "ballot" => Vote::Ballot,
            _ => return None,
        }),
        ["ldmatrix", "sync", "aligned", "m8n8", "x4", "shared", "b16"] => Warp::LoadMatrices,
        ["mma", "sync", "aligned", "m16n8k16", "row", "col", "f32", "f16", "f16", "f32"] => {
            Warp::Multiply
        }
        ["wgmma", "mma_async", "sync", "aligned", "m64n128k16", "f32", "f16", "f16"] => {
            Warp::MultiplyBoxes
        }
        ["wgmma", "commit_group", "sync", "aligned"] => {
            return Some((Code::Warp(Warp::MarkBoxes), 0));
        }
        ["wgmma", "wait_group", "sync", "aligned"] => {
            return Some((Code::Warp(Warp::AwaitBoxes), 0));
        }
        ["wgmma", "fence", "sync", "aligned"] => return Some((Code::Warp(Warp::Meet), 0)),
        _ => return None,
    };
    Some((Code::Warp(warp), 1))
}
