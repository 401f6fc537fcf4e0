//! How a scatter is drawn: its axes, colours, size, points or density, what lies over it.
//! One word a choice, what nobody chose left out: `log-x;log;clip5-95;cividis;size4;density`.
//! The same text is in the address and in messages. Pure.

use engine::kind::Kind;
use serde::{Deserialize, Serialize};

/// Shares of the values, in percent, between which a ramp runs.
pub const CLIP: [u8; 2] = [2, 98];
/// How far the points of a name lie from the middle of its place, which is one wide.
pub const BAND: f64 = 0.4;
/// Radii of points that may be chosen, in tenths of CSS pixels.
pub const SIZE_MAX: u8 = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Look {
    /// Of x and y: whether the axis is one of logarithms.
    pub log: [bool; 2],
    /// How values are spread over a ramp.
    pub spread: Spread,
    pub clip: [u8; 2],
    pub ramp: Ramp,
    pub is_reversed: bool,
    /// Radius in tenths of CSS pixels; zero follows from how many points there are.
    pub size: u8,
    /// Of one point, in percent; zero follows from how many there are.
    pub opacity: u8,
    pub form: Form,
    /// Counts are coloured by their rank among the cells rather than by their logarithm.
    pub is_equalized: bool,
    pub has_contours: bool,
    /// Names of categories at their densest places.
    pub has_labels: bool,
    /// Pictures of rows at their points, as many as there is room for.
    pub has_pictures: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            log: [false, false],
            spread: Spread::Linear,
            clip: CLIP,
            ramp: Ramp::Viridis,
            is_reversed: false,
            size: 0,
            opacity: 0,
            form: Form::Auto,
            is_equalized: false,
            has_contours: false,
            has_labels: false,
            has_pictures: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spread {
    #[default]
    Linear,
    Log,
    /// Every colour is of as many values.
    Equal,
}

/// Ramps that are even to the eye and can be told apart without one of the cones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ramp {
    #[default]
    Viridis,
    Cividis,
    Magma,
    /// From blue over grey to brown: for values around a middle.
    Vik,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Points, and a density where there are more of them than pixels.
    #[default]
    Auto,
    Points,
    Density,
}

impl Spread {
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Linear, "linear"), (Self::Log, "log"), (Self::Equal, "equal")];
}

impl Ramp {
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Viridis, "viridis"),
        (Self::Cividis, "cividis"),
        (Self::Magma, "magma"),
        (Self::Vik, "vik"),
    ];
}

impl Form {
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Auto, "auto"), (Self::Points, "points"), (Self::Density, "density")];
}

/// Whether an axis with such a column is one of names.
pub fn is_named(kind: Kind) -> bool {
    matches!(kind, Kind::Category | Kind::Boolean | Kind::Text)
}

fn named<T: Copy>(all: &[(T, &str)], word: &str) -> Option<T> {
    all.iter().find(|(_, name)| *name == word).map(|(value, _)| *value)
}

fn name<T: Copy + PartialEq>(all: &[(T, &'static str)], value: T) -> &'static str {
    all.iter().find(|(other, _)| *other == value).map_or("", |(_, name)| name)
}

impl Look {
    /// `None` for words that are no look.
    pub fn read(text: &str) -> Option<Self> {
        let mut look = Self::default();
        text.split(';').filter(|word| !word.is_empty()).try_for_each(|word| look.add(word))?;
        Some(look)
    }

    fn add(&mut self, word: &str) -> Option<()> {
        if let Some(spread) = named(&Spread::ALL, word) {
            self.spread = spread;
        } else if let Some(ramp) = named(&Ramp::ALL, word) {
            self.ramp = ramp;
        } else if let Some(form) = named(&Form::ALL, word) {
            self.form = form;
        } else if let Some(ends) = word.strip_prefix("clip") {
            let (low, high) = ends.split_once('-')?;
            self.clip = [low.parse().ok()?, high.parse().ok()?];
            if self.clip[0] >= self.clip[1] || self.clip[1] > 100 {
                return None;
            }
        } else if let Some(tenths) = word.strip_prefix("size") {
            self.size = tenths.parse().ok().filter(|size| (1..=SIZE_MAX).contains(size))?;
        } else if let Some(percent) = word.strip_prefix("opacity") {
            self.opacity = percent.parse().ok().filter(|share| (1..=100).contains(share))?;
        } else {
            *self.switch(word)? = true;
        }
        Some(())
    }

    fn switch(&mut self, word: &str) -> Option<&mut bool> {
        Some(match word {
            "log-x" => &mut self.log[0],
            "log-y" => &mut self.log[1],
            "reversed" => &mut self.is_reversed,
            "ranked" => &mut self.is_equalized,
            "contours" => &mut self.has_contours,
            "labels" => &mut self.has_labels,
            "pictures" => &mut self.has_pictures,
            _ => return None,
        })
    }

    /// Whether an axis with such a column is one of logarithms: 0 is x, 1 is y.
    pub fn is_log(self, axis: usize, kind: Kind) -> bool {
        self.log.get(axis) == Some(&true) && kind == Kind::Number
    }

    /// Empty where nothing was chosen.
    pub fn written(self) -> String {
        let plain = Self::default();
        let mut words = Vec::new();
        if self.spread != plain.spread {
            words.push(name(&Spread::ALL, self.spread).to_owned());
        }
        if self.clip != plain.clip {
            words
                .push(["clip", &self.clip[0].to_string(), "-", &self.clip[1].to_string()].concat());
        }
        if self.ramp != plain.ramp {
            words.push(name(&Ramp::ALL, self.ramp).to_owned());
        }
        if self.form != plain.form {
            words.push(name(&Form::ALL, self.form).to_owned());
        }
        for (what, number) in [("size", self.size), ("opacity", self.opacity)] {
            if number > 0 {
                words.push([what, &number.to_string()].concat());
            }
        }
        for (word, is_on) in [
            ("log-x", self.log[0]),
            ("log-y", self.log[1]),
            ("reversed", self.is_reversed),
            ("ranked", self.is_equalized),
            ("contours", self.has_contours),
            ("labels", self.has_labels),
            ("pictures", self.has_pictures),
        ] {
            if is_on {
                words.push(word.to_owned());
            }
        }
        words.join(";")
    }
}

impl From<Look> for String {
    fn from(look: Look) -> Self {
        look.written()
    }
}

impl TryFrom<String> for Look {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or("no look of a scatter")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn looks_survive_their_words() {
        assert_eq!(Look::default().written(), "");
        let text = "log;clip5-95;cividis;density;size45;opacity30;log-y;reversed;ranked;contours;labels;pictures";
        let look = Look::read(text).unwrap();
        assert_eq!(look.written(), text);
        assert!(look.is_log(1, Kind::Number));
        assert!(!look.is_log(1, Kind::Time) && !look.is_log(0, Kind::Number));
        assert_eq!((look.size, look.clip, look.form), (45, [5, 95], Form::Density));
        assert_eq!(
            serde_json::from_str::<Look>(&serde_json::to_string(&look).unwrap()).unwrap(),
            look
        );
        for broken in ["loud", "clip9-3", "clip0-101", "size0", "size200", "opacity101", "clip5"] {
            assert_eq!(Look::read(broken), None, "{broken}");
        }
    }
}
