//! Colours by palette index, for canvases and legends alike.

use super::Theme;

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
/// Index of the categories that have no colour of their own.
pub const OTHER: u8 = 254;
/// Ramps run over indices 0 to here.
pub const RAMP_LAST: u8 = 253;
/// Categories that have a colour of their own.
pub const CATEGORIES: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    colors: Box<[Rgb; 256]>,
}

impl Palette {
    /// All points alike.
    pub fn single(theme: Theme) -> Self {
        Self::filled(theme, &[CATEGORICAL[0]])
    }

    /// Category i has index i, up to [`CATEGORIES`]; the others share [`OTHER`].
    pub fn categorical(theme: Theme) -> Self {
        Self::filled(theme, &CATEGORICAL)
    }

    /// A share of 0 to 1 has index share × [`RAMP_LAST`], rounded. Low values are near the
    /// background: dark on dark, light on light.
    pub fn ramp(theme: Theme) -> Self {
        let shares = (0..=RAMP_LAST).map(|index| f32::from(index) / f32::from(RAMP_LAST));
        let colors: Vec<Rgb> = shares
            .map(|share| match theme {
                // The very ends would vanish into the backgrounds.
                Theme::Dark => ramp_color(0.12 + 0.88 * share),
                Theme::Light => ramp_color(0.94 - 0.94 * share),
            })
            .collect();
        Self::filled(theme, &colors)
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
        let index = |i: usize| (i * usize::from(RAMP_LAST) / last).min(usize::from(RAMP_LAST));
        (0..count).map(|i| self.color(index(i) as u8).css()).collect()
    }
}

/// The index of a value on a ramp from `low` to `high`; values outside take the ends.
pub fn ramp_index(value: f64, low: f64, high: f64) -> u8 {
    if value.is_nan() {
        return MISSING;
    }
    let share = if low < high { (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 };
    (share.clamp(0.0, 1.0) * f64::from(RAMP_LAST)).round() as u8
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

/// Viridis (Smith and van der Walt, CC0), between ten of its colours.
fn ramp_color(share: f32) -> Rgb {
    const STOPS: [Rgb; 10] = [
        Rgb(68, 1, 84),
        Rgb(72, 40, 120),
        Rgb(62, 73, 137),
        Rgb(49, 104, 142),
        Rgb(38, 130, 142),
        Rgb(31, 158, 137),
        Rgb(53, 183, 121),
        Rgb(109, 205, 89),
        Rgb(180, 222, 44),
        Rgb(253, 231, 37),
    ];
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let index = (place as usize).min(STOPS.len() - 2);
    let (from, to) = (STOPS[index].channels(), STOPS[index + 1].channels());
    let part = place - index as f32;
    let mixed = [0, 1, 2].map(|c| (from[c] + (to[c] - from[c]) * part).round() as u8);
    Rgb(mixed[0], mixed[1], mixed[2])
}
