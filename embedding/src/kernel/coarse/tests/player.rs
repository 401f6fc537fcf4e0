//! Plays instructions of AMX where the processor has none: it says that they are unknown to it, by a
//! signal, whose handler reads what stands there and does it, as Intel's manual (325383) describes
//! it. So the machine code is tested that runs elsewhere.

use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Once;

use libc::{
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RAX, REG_RBP,
    REG_RBX, REG_RCX, REG_RDI, REG_RDX, REG_RIP, REG_RSI, REG_RSP,
};

/// What a player does otherwise than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// One product in 8,192 is left out.
    Product,
    /// The last line of what is stored stays away.
    Line,
}

const LINES: usize = 16;
const BYTES: usize = 64;

type Tile = [[u8; BYTES]; LINES];

/// What a thread has of tiles.
struct Player {
    is_laid_out: bool,
    lines: [usize; 8],
    bytes: [usize; 8],
    tiles: [Tile; 8],
    fault: Fault,
    played: usize,
}

thread_local! {
    static PLAYER: Cell<*mut Player> = const { Cell::new(null_mut()) };
}

/// Runs something whose tiles are played. Gives how many instructions were.
pub(super) fn play(fault: Fault, run: &mut dyn FnMut()) -> usize {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: an action of zeros is a default one, and the handler has the signature asked for.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = on_unknown;
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO;
            assert_eq!(libc::sigaction(libc::SIGILL, &raw const action, null_mut()), 0);
        }
    });
    let mut player = Player {
        is_laid_out: false,
        lines: [0; 8],
        bytes: [0; 8],
        tiles: [[[0xff; BYTES]; LINES]; 8],
        fault,
        played: 0,
    };
    PLAYER.set(&raw mut player);
    run();
    PLAYER.set(null_mut());
    assert!(!player.is_laid_out, "tiles are not released");
    player.played
}

extern "C" fn on_unknown(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let player = PLAYER.get();
    // SAFETY: the kernel gives the registers of this thread, which stands at the instruction;
    // `play` has the player for as long as it is set, and looks at it only afterwards.
    unsafe {
        let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let at = registers[REG_RIP as usize] as *const u8;
        if !player.is_null()
            && let Some(length) = (*player).one(at, registers)
        {
            registers[REG_RIP as usize] += length as i64;
            (*player).played += 1;
            return;
        }
        // Of nobody here: it is met again, and ends the process.
        libc::signal(libc::SIGILL, libc::SIG_DFL);
    }
}

/// By the numbers that instructions have for them.
const REGISTERS: [i32; 16] = [
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9,
    REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
];

/// Where in memory an instruction's operand is.
struct Place {
    at: i64,
    stride: i64,
    length: usize,
}

impl Player {
    /// Does the instruction that stands there. Gives its length, or nothing where it is another.
    unsafe fn one(&mut self, at: *const u8, registers: &[i64; 23]) -> Option<usize> {
        // SAFETY: instructions of this kind are at least five bytes.
        let [escape, high, wide, code, operands] = unsafe { at.cast::<[u8; 5]>().read_unaligned() };
        if escape != 0xc4 || high & 0x1f != 2 || wide & 0x84 != 0 {
            return None;
        }
        let third = usize::from(!(wide >> 3) & 15);
        let (tile, other) = (usize::from(operands >> 3 & 7), usize::from(operands & 7));
        let is_in_memory = operands >> 6 != 3;
        // SAFETY: as the caller says.
        let place = is_in_memory.then(|| unsafe { place(at, high, registers) });
        let length = place.as_ref().map_or(5, |place| place.length);
        match (wide & 3, code, place) {
            // LDTILECFG
            (0, 0x49, Some(place)) if tile == 0 => self.lay_out(&place)?,
            // TILERELEASE
            (0, 0x49, None) if operands == 0xc0 => self.is_laid_out = false,
            // TILEZERO
            (3, 0x49, None) if other == 0 => *self.tile(tile)? = [[0; BYTES]; LINES],
            // TILELOADD
            (3, 0x4b, Some(place)) => {
                let (lines, bytes) = (self.lines[tile], self.bytes[tile]);
                *self.tile(tile)? = [[0; BYTES]; LINES];
                for (line, to) in self.tiles[tile].iter_mut().take(lines).enumerate() {
                    let from = (place.at + line as i64 * place.stride) as *const u8;
                    // SAFETY: the instruction reads the same.
                    unsafe { from.copy_to_nonoverlapping(to.as_mut_ptr(), bytes) };
                }
            }
            // TILESTORED
            (2, 0x4b, Some(place)) => {
                self.tile(tile)?;
                let left_out = usize::from(self.fault == Fault::Line);
                let lines = self.tiles[tile].iter().take(self.lines[tile] - left_out);
                for (line, from) in lines.enumerate() {
                    let to = (place.at + line as i64 * place.stride) as *mut u8;
                    // SAFETY: the instruction writes the same.
                    unsafe { to.copy_from_nonoverlapping(from.as_ptr(), self.bytes[tile]) };
                }
            }
            // TDPBF16PS
            (2, 0x5c, None) => self.add(tile, other, third)?,
            _ => return None,
        }
        Some(length)
    }

    fn tile(&mut self, number: usize) -> Option<&mut Tile> {
        self.tiles.get_mut(number).filter(|_| self.is_laid_out)
    }

    fn lay_out(&mut self, place: &Place) -> Option<()> {
        // SAFETY: the instruction reads the same.
        let of = unsafe { (place.at as *const [u8; BYTES]).read_unaligned() };
        let is_known = of[..2] == [1, 0] && of[2..16].iter().all(|byte| *byte == 0);
        for number in 0..8 {
            self.bytes[number] =
                usize::from(u16::from_le_bytes([of[16 + 2 * number], of[17 + 2 * number]]));
            self.lines[number] = usize::from(of[48 + number]);
            self.tiles[number] = [[0; BYTES]; LINES];
        }
        let fits = self.bytes.iter().all(|bytes| *bytes <= BYTES);
        self.is_laid_out = true;
        (is_known && fits && self.lines.iter().all(|lines| *lines <= LINES)).then_some(())
    }

    /// Adds products of pairs of 16 bits: those of even and of odd places for themselves, fused,
    /// then both to what there is.
    fn add(&mut self, to: usize, a: usize, b: usize) -> Option<()> {
        let is_fit = self.lines[to] == self.lines[a]
            && self.bytes[to] == self.bytes[b]
            && self.bytes[a] == 4 * self.lines[b]
            && self.is_laid_out
            && to != a
            && to != b
            && a != b;
        if !is_fit {
            return None;
        }
        let (a, b, pairs) = (self.tiles[a], self.tiles[b], self.lines[b]);
        let left_out = usize::from(self.fault == Fault::Product);
        for (line, sums) in self.tiles[to].iter_mut().take(self.lines[to]).enumerate() {
            for (column, sum) in sums.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let mut parts = [0.0_f32; 2];
                let is_last = line == 15 && column == 15;
                let many = pairs - left_out * usize::from(is_last);
                for (pair, b) in b.iter().take(many).enumerate() {
                    for (odd, part) in parts.iter_mut().enumerate() {
                        let (x, y) = (value(&a[line], 2 * pair + odd), value(b, 2 * column + odd));
                        *part = flushed(x.mul_add(y, *part));
                    }
                }
                let both = flushed(parts[0] + parts[1]);
                *sum = flushed(f32::from_le_bytes(*sum) + both).to_le_bytes();
            }
        }
        Some(())
    }
}

/// A value of 16 bits.
fn value(line: &[u8; BYTES], at: usize) -> f32 {
    flushed(f32::from_le_bytes([0, 0, line[2 * at], line[2 * at + 1]]))
}

/// What is below the smallest normal float is zero.
fn flushed(value: f32) -> f32 {
    if value.is_subnormal() { 0.0 } else { value }
}

/// The operand of an instruction in memory.
unsafe fn place(at: *const u8, high: u8, registers: &[i64; 23]) -> Place {
    let register = |number: u8, is_low: bool| {
        registers[REGISTERS[usize::from(number) + 8 * usize::from(is_low)] as usize]
    };
    // SAFETY: the whole instruction stands there.
    let byte = |nth: usize| unsafe { at.add(nth).read() };
    let operands = byte(4);
    let has_index = operands & 7 == 4;
    let mut length = 5 + usize::from(has_index);
    let (mut place, mut stride) = (0, 0);
    let base = if has_index { byte(5) & 7 } else { operands & 7 };
    let is_far = base == 5 && operands >> 6 == 0;
    assert!(!is_far, "no place without a base is asked for");
    place += register(base, high & 0x20 == 0);
    if has_index {
        let (index, is_low) = (byte(5) >> 3 & 7, high & 0x40 == 0);
        if index != 4 || is_low {
            stride = register(index, is_low) << (byte(5) >> 6);
        }
    }
    // SAFETY: as above.
    place += match operands >> 6 {
        1 => i64::from(byte(length).cast_signed()),
        2 => i64::from(unsafe { at.add(length).cast::<i32>().read_unaligned() }),
        _ => 0,
    };
    length += [0, 1, 4, 0][usize::from(operands >> 6)];
    Place { at: place, stride, length }
}
