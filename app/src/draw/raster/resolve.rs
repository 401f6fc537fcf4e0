//! Sums to colours: the last step of a picture, in whole lines and in slices.

use super::layer::{Cells, Layer};
use crate::draw::palette::{Palette, RAMP_LAST, Rgb};
use crate::draw::plan::{Highlight, LayerPlan, Plan, Shade};
use crate::draw::tone::{Tone, ToneTable};

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
        selected: &Layer,
        context: &Layer,
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
        let done =
            work.find_peaks(
                width * height,
                selected.cells(),
                context.map(|(_, cells)| cells),
                out_of_time,
            ) && work.color(&mut self.pixels, palette, selected.cells(), context, out_of_time);
        if done {
            if let Some(highlight) = plan.highlight {
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
            let table = |layer: &LayerPlan, peak| ToneTable::new(tone(layer, peak));
            let context = plan.context.as_ref().unwrap_or(&plan.selected);
            (table(&plan.selected, peaks.selected), table(context, peaks.context))
        });
        let width = plan.size.width as usize;
        let lines_per_look = (PIXELS_PER_LOOK / width.max(1)).max(1);
        let under = match context {
            Some((_, Cells::Plain(cells))) => Some((cells.as_slice(), &*context_tone)),
            _ => None,
        };
        let shader = Shader { plan, palette, tone, under };
        while self.line < plan.size.height as usize {
            let line = self.line;
            let cells = line * width..(line + 1) * width;
            let Some(out) = pixels.get_mut(cells.start * 4..cells.end * 4) else { return true };
            shader.line(out, selected, cells);
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

fn peak(cells: &Cells, part: std::ops::Range<usize>) -> u32 {
    match cells {
        Cells::Plain(cells) => cells.get(part).unwrap_or_default().iter().copied().max(),
        Cells::Colored(cells) => {
            cells.get(part).unwrap_or_default().iter().map(|cell| cell[0]).max()
        }
    }
    .unwrap_or(0)
}

struct Shader<'a> {
    plan: &'a Plan,
    palette: &'a Palette,
    tone: &'a ToneTable,
    under: Option<(&'a [u32], &'a ToneTable)>,
}

impl Shader<'_> {
    fn line(&self, out: &mut [u8], selected: &Cells, part: std::ops::Range<usize>) {
        let (pixels, _) = out.as_chunks_mut::<4>();
        let under = self.under.and_then(|(cells, _)| cells.get(part.clone()));
        match (selected, self.plan.shade) {
            (Cells::Plain(cells), Shade::Ramp) => {
                let cells = cells.get(part).unwrap_or_default();
                self.each(
                    pixels,
                    cells,
                    under,
                    |cell| *cell,
                    |cell| {
                        let index = (self.tone.opacity(*cell) * f32::from(RAMP_LAST)).round() as u8;
                        (self.palette.color(index).channels(), 1.0)
                    },
                );
            }
            (Cells::Plain(cells), shade) => {
                let color =
                    if let Shade::Single(color) = shade { color } else { self.palette.color(0) };
                let (color, cells) = (color.channels(), cells.get(part).unwrap_or_default());
                self.each(
                    pixels,
                    cells,
                    under,
                    |cell| *cell,
                    |cell| (color, self.tone.opacity(*cell)),
                );
            }
            (Cells::Colored(cells), _) => {
                let cells = cells.get(part).unwrap_or_default();
                self.each(
                    pixels,
                    cells,
                    under,
                    |cell| cell[0],
                    |cell| {
                        let share = 1.0 / cell[0] as f32;
                        let mean = [1, 2, 3].map(|channel| cell[channel] as f32 * share);
                        (mean, self.tone.opacity(cell[0]))
                    },
                );
            }
        }
    }

    #[inline(always)]
    fn each<C>(
        &self,
        pixels: &mut [[u8; 4]],
        cells: &[C],
        under: Option<&[u32]>,
        coverage: impl Fn(&C) -> u32,
        color: impl Fn(&C) -> ([f32; 3], f32),
    ) {
        let background = self.plan.background.channels();
        let blank = bytes(background);
        match under.zip(self.under) {
            None => {
                for (pixel, cell) in pixels.iter_mut().zip(cells) {
                    *pixel = if coverage(cell) == 0 {
                        blank
                    } else {
                        let (color, opacity) = color(cell);
                        bytes(mixed(background, color, opacity))
                    };
                }
            }
            Some((under, (_, tone))) => {
                let faint = self.plan.faint.channels();
                for ((pixel, cell), under) in pixels.iter_mut().zip(cells).zip(under) {
                    let mut result = background;
                    if *under != 0 {
                        result = mixed(result, faint, tone.opacity(*under));
                    }
                    if coverage(cell) != 0 {
                        let (color, opacity) = color(cell);
                        result = mixed(result, color, opacity);
                    }
                    *pixel = bytes(result);
                }
            }
        }
    }
}

#[inline(always)]
fn mixed(under: [f32; 3], over: [f32; 3], opacity: f32) -> [f32; 3] {
    [0, 1, 2].map(|channel| under[channel] + (over[channel] - under[channel]) * opacity)
}

#[inline(always)]
fn bytes([red, green, blue]: [f32; 3]) -> [u8; 4] {
    let byte = |value: f32| (value + 0.5) as u8;
    [byte(red), byte(green), byte(blue), 255]
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
                let under = Rgb(pixel[0], pixel[1], pixel[2]).channels();
                let ringed = mixed(under, ring_color.channels(), covered(radius + ring));
                *pixel = bytes(mixed(ringed, color.channels(), covered(radius)));
            }
        }
    }
}
