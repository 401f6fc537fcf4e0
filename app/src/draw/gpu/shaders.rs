//! The shaders' sources: one file a pass, each joined to what they share.

/// A pass: its name, the source and the entry points that pipelines are made of.
#[derive(Debug, Clone, Copy)]
pub struct Shader {
    pub name: &'static str,
    pub source: &'static str,
    pub entry_points: &'static [&'static str],
}

macro_rules! shader {
    ($name:literal, $($entry_point:literal),+) => {
        Shader {
            name: $name,
            source: concat!(
                include_str!("../../../../shaders/common.wgsl"),
                include_str!(concat!("../../../../shaders/", $name, ".wgsl")),
            ),
            entry_points: &[$($entry_point),+],
        }
    };
}

pub const ACCUMULATE: Shader = shader!("accumulate", "pixels", "discs");
pub const EQUALIZE: Shader = shader!("equalize", "count", "sum");
pub const DENSITY: Shader = shader!("density", "fill");
pub const PEAK: Shader = shader!("peak", "find");
pub const RESOLVE: Shader = shader!("resolve", "cover", "resolve");

pub const ALL: [Shader; 5] = [ACCUMULATE, DENSITY, EQUALIZE, PEAK, RESOLVE];
