//! Colours by palette index, for canvases and legends alike.

use super::Theme;
use crate::look::Ramp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// `#rrggbb`
    pub fn css(self) -> String {
        let Self(red, green, blue) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    pub fn channels(self) -> [f32; 3] {
        [self.0, self.1, self.2].map(f32::from)
    }
}

/// Index of rows without a value.
pub const MISSING: u8 = 255;
/// Index of the categories that have no colour of their own, of values that are no number,
/// and of points that are all alike.
pub const OTHER: u8 = 254;
/// Index of values below a ramp; those above it have [`RAMP_LAST`].
pub const BELOW: u8 = 0;
/// Ramps run over indices 0 to here.
pub const RAMP_LAST: u8 = 253;
/// Categories that have a colour of their own.
pub const CATEGORIES: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    colors: Box<[Rgb; 256]>,
}

impl Palette {
    /// All points alike; their density along a ramp.
    pub fn single(theme: Theme, ramp: Ramp, is_reversed: bool) -> Self {
        let mut palette = Self::ramp(theme, ramp, is_reversed);
        palette.colors[usize::from(OTHER)] = CATEGORICAL[0];
        palette
    }

    /// Of points that are all alike.
    pub fn lone(&self) -> Rgb {
        self.color(OTHER)
    }

    /// Category i has index i, up to [`CATEGORIES`]; the others share [`OTHER`].
    pub fn categorical(theme: Theme) -> Self {
        Self::filled(theme, &CATEGORICAL)
    }

    /// The first indices in colours of their own.
    pub fn with_first(mut self, own: &[Rgb]) -> Self {
        for (to, from) in self.colors.iter_mut().zip(own) {
            *to = *from;
        }
        self
    }

    /// Low values are near the background, dark on dark and light on light; high ones are
    /// where it is reversed.
    pub fn ramp(theme: Theme, ramp: Ramp, is_reversed: bool) -> Self {
        // The very ends would vanish into the backgrounds.
        let [first, last] = match (ramp, theme) {
            (Ramp::Vik, _) => [0.0, 1.0],
            (Ramp::Magma, Theme::Dark) => [0.2, 1.0],
            (_, Theme::Dark) => [0.12, 1.0],
            (_, Theme::Light) => [0.94, 0.0],
        };
        let colors: Vec<Rgb> = (0..=RAMP_LAST)
            .map(|index| {
                let share = share_of(index);
                let share = if is_reversed { 1.0 - share } else { share };
                ramp_color(stops(ramp), first + (last - first) * share)
            })
            .collect();
        let mut palette = Self::filled(theme, &colors);
        palette.colors[usize::from(OTHER)] = match ramp {
            // Found by search, as far from the ramp and the backgrounds as may be.
            Ramp::Viridis | Ramp::Cividis => Rgb(205, 30, 255),
            Ramp::Magma => Rgb(15, 120, 255),
            Ramp::Vik => Rgb(45, 245, 5),
        };
        palette
    }

    fn filled(theme: Theme, first: &[Rgb]) -> Self {
        let (other, missing) = match theme {
            Theme::Light => (Rgb(124, 130, 139), Rgb(190, 186, 180)),
            Theme::Dark => (Rgb(148, 154, 164), Rgb(86, 82, 78)),
        };
        let mut colors = Box::new([other; 256]);
        for (to, from) in colors.iter_mut().zip(first) {
            *to = *from;
        }
        colors[usize::from(MISSING)] = missing;
        Self { colors }
    }

    pub fn color(&self, index: u8) -> Rgb {
        self.colors[usize::from(index)]
    }

    pub fn colors(&self) -> &[Rgb; 256] {
        &self.colors
    }

    /// Evenly spaced colours of a ramp, for a legend.
    pub fn ramp_css(&self, count: usize) -> Vec<String> {
        let last = count.saturating_sub(1).max(1);
        let most = usize::from(RAMP_LAST - 2);
        // The same from both ends, so that a reversed ramp is the ramp reversed.
        let index = |i: usize| 1 + (2 * i * most + last) / (2 * last);
        (0..count).map(|i| self.color(index(i) as u8).css()).collect()
    }
}

/// What became of a row between two versions: new and gone rows stand out from those that
/// changed, and all of them from the rest, for every eye (colours of Okabe and Ito).
pub fn of_change(label: &str) -> Rgb {
    match label {
        "added" => Rgb(0, 158, 115),
        "removed" => Rgb(213, 94, 0),
        "changed to" => Rgb(0, 114, 178),
        "changed from" => Rgb(86, 180, 233),
        _ => Rgb(150, 156, 164),
    }
}

/// Where on the ramp an index is. The outermost two look like their neighbours: they are of
/// what lies beyond.
fn share_of(index: u8) -> f32 {
    (f32::from(index.clamp(1, RAMP_LAST - 1)) - 1.0) / f32::from(RAMP_LAST - 2)
}

/// The index of a share of the ramp, 0 to 1.
pub fn ramp_index(share: f64) -> u8 {
    1 + (share.clamp(0.0, 1.0) * f64::from(RAMP_LAST - 2)).round() as u8
}

/// Found by search: all stand out from white and from near black and from each other, and
/// the first eight also for eyes that lack one of the cones. The tests say how much.
const CATEGORICAL: [Rgb; CATEGORIES] = [
    Rgb(31, 119, 200),
    Rgb(221, 162, 64),
    Rgb(142, 84, 67),
    Rgb(65, 186, 201),
    Rgb(123, 140, 22),
    Rgb(188, 30, 145),
    Rgb(245, 99, 130),
    Rgb(175, 130, 252),
    Rgb(8, 113, 92),
    Rgb(59, 199, 88),
    Rgb(216, 42, 12),
    Rgb(111, 68, 219),
    Rgb(146, 105, 162),
    Rgb(208, 156, 189),
    Rgb(250, 116, 226),
    Rgb(186, 125, 94),
    Rgb(47, 151, 137),
    Rgb(82, 157, 250),
    Rgb(1, 129, 5),
    Rgb(208, 79, 210),
];

/// Ten evenly spaced colours of each ramp: viridis (Smith and van der Walt, CC0), cividis
/// (Nuñez, Anderton and Renslow, CC0), magma (Smith and van der Walt, CC0), and one after vik
/// (Crameri, MIT) whose middle is seen on light and on dark.
fn stops(ramp: Ramp) -> &'static [u32; 10] {
    match ramp {
        Ramp::Viridis => &[
            0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6dcd59,
            0xb4de2c, 0xfde725,
        ],
        Ramp::Cividis => &[
            0x00224e, 0x0f3571, 0x3b496c, 0x575d6d, 0x707173, 0x8a8678, 0xa59c74, 0xc3b369,
            0xe1cc55, 0xfee838,
        ],
        Ramp::Magma => &[
            0x000004, 0x180f3d, 0x440f76, 0x721f81, 0x9e2f7f, 0xcd4071, 0xf1605d, 0xfd9668,
            0xfeca8d, 0xfcfdbf,
        ],
        Ramp::Vik => &[
            0x012f6b, 0x1c5389, 0x4179a6, 0x6f9dbd, 0x9fb2bb, 0xb9a898, 0xc58f6d, 0xb86b3f,
            0x934215, 0x641f04,
        ],
    }
}

fn ramp_color(stops: &[u32; 10], share: f32) -> Rgb {
    let place = share.clamp(0.0, 1.0) * (stops.len() - 1) as f32;
    let index = (place as usize).min(stops.len() - 2);
    let channel = |stop: usize, shift: u32| {
        stops.get(stop).map_or(0.0, |color| (color >> shift & 0xff) as f32)
    };
    let part = place - index as f32;
    let mixed = [16, 8, 0].map(|shift| {
        let (from, to) = (channel(index, shift), channel(index + 1, shift));
        (from + (to - from) * part).round() as u8
    });
    Rgb(mixed[0], mixed[1], mixed[2])
}
