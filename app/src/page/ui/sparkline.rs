//! A small distribution of a column: bars without axes, for lists.

use engine::kind::Kind;
use leptos::prelude::*;

use crate::protocol::Profile;

const WIDTH: f64 = 72.0;
const HEIGHT: f64 = 18.0;

/// Bins of a number or time column side by side; the most frequent values of a named
/// column by size.
pub(super) fn sparkline(profile: &Profile) -> impl IntoView + use<> {
    let d = path(&profile.counts);
    let named = matches!(profile.kind, Kind::Category | Kind::Boolean | Kind::Text);
    view! {
        <svg class="sparkline" class:named=named viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
            <path d=d></path>
        </svg>
    }
}

fn path(counts: &[u32]) -> String {
    let most = f64::from(counts.iter().copied().max().unwrap_or(0));
    if most <= 0.0 {
        return String::new();
    }
    let width = (WIDTH / counts.len() as f64).min(9.0);
    let gap = if width > 3.0 { 1.0 } else { 0.0 };
    let mut d = String::new();
    for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // What is there is seen, however little it is.
        let height = (f64::from(*count) / most * HEIGHT).max(1.0);
        let (x, y) = (at as f64 * width, HEIGHT - height);
        d.push_str(&format!("M{x:.1} {y:.1}h{:.1}v{height:.1}h-{:.1}z", width - gap, width - gap));
    }
    d
}
