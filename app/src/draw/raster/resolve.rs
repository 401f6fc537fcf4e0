//! Sums to colours: the last step of a picture, in whole lines and in slices.

use std::ops::Range;

use super::layer::{Cells, Layer};
use crate::draw::lanes::Lanes;
use crate::draw::palette::{Palette, RAMP_LAST, Rgb};
use crate::draw::plan::{Highlight, LayerPlan, Plan, Shade};
use crate::draw::tone::{Tone, ToneTable, key_of};

/// Pixels between looks at the clock.
const PIXELS_PER_LOOK: usize = 1 << 15;

/// The pixels, and how far the work on them is.
#[derive(Default)]
pub struct Resolve {
    pixels: Vec<u8>,
    work: Option<Work>,
}

struct Work {
    plan: Plan,
    changes: (u64, u64),
    peaks: Peaks,
    tones: Option<(ToneTable, ToneTable)>,
    /// The next line.
    line: usize,
}

/// The most that lies on a pixel, of the layers' first cells.
#[derive(Default)]
struct Peaks {
    selected: u32,
    context: u32,
    /// Cells looked at.
    seen: usize,
}

impl Resolve {
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub fn is_under_way(&self) -> bool {
        self.work.is_some()
    }

    /// Colours the pixels, in as many calls as it takes; true when all are. Begins anew if
    /// the plan or the sums have changed since the last call.
    pub fn work(
        &mut self,
        plan: &Plan,
        palette: &Palette,
        (selected, context): (&Layer, &Layer),
        changes: (u64, u64),
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> bool {
        let (width, height) = (plan.size.width as usize, plan.size.height as usize);
        self.pixels.resize(width * height * 4, 0);
        let mut work = match self.work.take() {
            Some(work) if work.changes == changes && work.plan == *plan => work,
            _ => {
                Work { plan: plan.clone(), changes, peaks: Peaks::default(), tones: None, line: 0 }
            }
        };
        let context = plan.context.as_ref().map(|layer| (layer, context.cells()));
        let count = plan.cells.width as usize * plan.cells.height as usize;
        let done =
            work.find_peaks(count, selected.cells(), context.map(|(_, cells)| cells), out_of_time)
                && work.color(&mut self.pixels, palette, selected.cells(), context, out_of_time);
        if done {
            for highlight in [plan.pinned, plan.highlight].into_iter().flatten() {
                draw_highlight(&mut self.pixels, width, height, highlight);
            }
        } else {
            self.work = Some(work);
        }
        done
    }
}

impl Work {
    fn find_peaks(
        &mut self,
        count: usize,
        selected: &Cells,
        context: Option<&Cells>,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> bool {
        let peaks = &mut self.peaks;
        while peaks.seen < count {
            let part = peaks.seen..(peaks.seen + 4 * PIXELS_PER_LOOK).min(count);
            peaks.seen = part.end;
            peaks.selected = peaks.selected.max(peak(selected, part.clone()));
            peaks.context = peaks.context.max(context.map_or(0, |cells| peak(cells, part)));
            if out_of_time() {
                return false;
            }
        }
        true
    }

    fn color(
        &mut self,
        pixels: &mut [u8],
        palette: &Palette,
        selected: &Cells,
        context: Option<(&LayerPlan, &Cells)>,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> bool {
        let (plan, peaks) = (&self.plan, &self.peaks);
        let (tone, context_tone) = self.tones.get_or_insert_with(|| {
            let table = |layer: &LayerPlan, peak| match layer.is_equalized {
                true => equalized(tone(layer, peak), selected, plan),
                false => ToneTable::new(tone(layer, peak)),
            };
            let context = plan.context.as_ref().unwrap_or(&plan.selected);
            (table(&plan.selected, peaks.selected), table(context, peaks.context))
        });
        let width = plan.size.width as usize;
        let lines_per_look = (PIXELS_PER_LOOK / width.max(1)).max(1);
        let under = match context {
            Some((_, Cells::Plain(cells))) => Some((cells.as_slice(), &*context_tone)),
            _ => None,
        };
        let shader = Shader::new(plan, palette, tone, under);
        let (cell, across) = (plan.cell.max(1) as usize, plan.cells.width as usize);
        let mut of_cells = vec![0; if cell > 1 { across * 4 } else { 0 }];
        let mut colored = None;
        while self.line < plan.size.height as usize {
            let line = self.line;
            let cells = line / cell * across..(line / cell + 1) * across;
            let Some(out) = pixels.get_mut(line * width * 4..(line + 1) * width * 4) else {
                return true;
            };
            if cell == 1 {
                shader.line(out, selected, cells);
            } else {
                // A line of cells is coloured once, and copied as often as it is high.
                if colored != Some(line / cell) {
                    shader.line(&mut of_cells, selected, cells);
                    colored = Some(line / cell);
                }
                let (to, _) = out.as_chunks_mut::<4>();
                let (from, _) = of_cells.as_chunks::<4>();
                for (pixels, color) in to.chunks_mut(cell).zip(from) {
                    pixels.fill(*color);
                }
            }
            self.line += 1;
            if line % lines_per_look == lines_per_look - 1 && out_of_time() {
                return false;
            }
        }
        true
    }
}

fn tone(layer: &LayerPlan, peak: u32) -> Tone {
    Tone { unit: layer.stamp.unit, opacity: layer.opacity, peak, strength: layer.strength }
}

fn equalized(tone: Tone, cells: &Cells, plan: &Plan) -> ToneTable {
    let count = plan.cells.width as usize * plan.cells.height as usize;
    match cells {
        Cells::Plain(cells) => ToneTable::equalized(tone, cells.iter().take(count).copied()),
        Cells::Colored(cells) => {
            ToneTable::equalized(tone, cells.iter().take(count).map(|cell| cell.first()))
        }
    }
}

fn peak(cells: &Cells, part: Range<usize>) -> u32 {
    match cells {
        Cells::Plain(cells) => cells.get(part).unwrap_or_default().iter().copied().max(),
        Cells::Colored(cells) => {
            cells.get(part).unwrap_or_default().iter().map(|cell| cell.first()).max()
        }
    }
    .unwrap_or(0)
}

struct Shader<'a> {
    tone: &'a ToneTable,
    under: Option<(&'a [u32], &'a ToneTable)>,
    background: Lanes,
    faint: Lanes,
    /// The colour of a point that has no other.
    single: Lanes,
    /// Opaque colours by coverage, where these are all there is to a picture of one layer.
    ramp: Option<Vec<Lanes>>,
    /// The colours by coverage alone, where they depend on nothing else.
    plain: Option<Vec<u32>>,
}

impl<'a> Shader<'a> {
    fn new(
        plan: &Plan,
        palette: &Palette,
        tone: &'a ToneTable,
        under: Option<(&'a [u32], &'a ToneTable)>,
    ) -> Self {
        let background = lanes_of(plan.background);
        let single = match plan.shade {
            Shade::Single(color) => lanes_of(color),
            Shade::Mean | Shade::Ramp => lanes_of(palette.lone()),
        };
        let of_ramp = |opacity: f32| {
            let index = (opacity * f32::from(RAMP_LAST)).round() as u8;
            lanes_of(palette.color(index))
        };
        let ramp = (plan.shade == Shade::Ramp)
            .then(|| tone.opacities().iter().copied().map(of_ramp).collect());
        let colors = |opacity: f32| match plan.shade {
            Shade::Ramp => pixel_of(of_ramp(opacity)),
            Shade::Single(_) | Shade::Mean => pixel_of(mixed(background, single, opacity)),
        };
        let plain = under.is_none().then(|| {
            let mut plain: Vec<u32> = tone.opacities().iter().copied().map(colors).collect();
            // Nothing is not the lowest of something.
            plain.iter_mut().take(1).for_each(|pixel| *pixel = pixel_of(background));
            plain
        });
        Self { tone, under, background, faint: lanes_of(plan.faint), single, ramp, plain }
    }

    fn line(&self, out: &mut [u8], selected: &Cells, part: Range<usize>) {
        let (pixels, _) = out.as_chunks_mut::<4>();
        let under = self.under.and_then(|(cells, _)| cells.get(part.clone()));
        match (selected, &self.plain) {
            (Cells::Plain(cells), Some(plain)) => {
                for (pixel, cell) in pixels.iter_mut().zip(cells.get(part).unwrap_or_default()) {
                    *pixel = plain.get(key_of(*cell)).map_or([0; 4], |pixel| pixel.to_le_bytes());
                }
            }
            (Cells::Plain(cells), None) => {
                let cells = cells.get(part).unwrap_or_default();
                let of_ramp = |cell: u32| self.ramp.as_ref()?.get(key_of(cell)).copied();
                self.each(pixels, cells, under, |cell| {
                    let opacity = || self.tone.opacity(*cell);
                    (*cell != 0).then(|| match of_ramp(*cell) {
                        Some(color) => (1.0, color),
                        None => (opacity(), self.single),
                    })
                });
            }
            (Cells::Colored(cells), _) => {
                let cells = cells.get(part).unwrap_or_default();
                self.each(pixels, cells, under, |cell| {
                    let coverage = cell.first();
                    let share = Lanes::splat(1.0 / coverage as f32);
                    let opacity = || self.tone.opacity(coverage);
                    (coverage != 0).then(|| (opacity(), cell.lanes().times(share)))
                });
            }
        }
    }

    /// Colours a line of cells; `color` gives how opaque one is and in what colour.
    #[inline(always)]
    fn each<C>(
        &self,
        pixels: &mut [[u8; 4]],
        cells: &[C],
        under: Option<&[u32]>,
        color: impl Fn(&C) -> Option<(f32, Lanes)>,
    ) {
        let over = |under: Lanes, (opacity, color): (f32, Lanes)| {
            pixel_of(mixed(under, color, opacity)).to_le_bytes()
        };
        match under.zip(self.under) {
            None => {
                let blank = pixel_of(self.background).to_le_bytes();
                for (pixel, cell) in pixels.iter_mut().zip(cells) {
                    *pixel = color(cell).map_or(blank, |color| over(self.background, color));
                }
            }
            Some((under, (_, tone))) => {
                for ((pixel, cell), under) in pixels.iter_mut().zip(cells).zip(under) {
                    let under = match *under {
                        0 => self.background,
                        under => mixed(self.background, self.faint, tone.opacity(under)),
                    };
                    *pixel = match color(cell) {
                        None => pixel_of(under).to_le_bytes(),
                        Some(color) => over(under, color),
                    };
                }
            }
        }
    }
}

/// A colour as a cell has it: red, green and blue after the coverage's lane.
fn lanes_of(color: Rgb) -> Lanes {
    let [red, green, blue] = color.channels();
    Lanes::of([0.0, red, green, blue])
}

#[inline(always)]
fn mixed(under: Lanes, over: Lanes, opacity: f32) -> Lanes {
    under.plus(over.minus(under).times(Lanes::splat(opacity)))
}

/// RGBA, red lowest; opaque.
#[inline(always)]
fn pixel_of(color: Lanes) -> u32 {
    color.bytes() >> 8 | 0xff00_0000
}

/// The disc under the pointer, over everything.
fn draw_highlight(pixels: &mut [u8], width: usize, height: usize, highlight: Highlight) {
    let Highlight { x, y, radius, ring, color, ring_color } = highlight;
    let outer = radius + ring + 1.0;
    let span = |centre: f32, length: usize| {
        let first = (centre - outer).max(0.0) as usize;
        let last = (centre + outer).clamp(0.0, length as f32) as usize;
        first..last.min(length)
    };
    let (pixels, _) = pixels.as_chunks_mut::<4>();
    for row in span(y, height) {
        for column in span(x, width) {
            let distance = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y);
            let covered = |radius: f32| (radius + 0.5 - distance).clamp(0.0, 1.0);
            if let Some(pixel) = pixels.get_mut(row * width + column) {
                let under = lanes_of(Rgb(pixel[0], pixel[1], pixel[2]));
                let ringed = mixed(under, lanes_of(ring_color), covered(radius + ring));
                *pixel = pixel_of(mixed(ringed, lanes_of(color), covered(radius))).to_le_bytes();
            }
        }
    }
}
