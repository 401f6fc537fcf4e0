//! What part of the data a scatter shows: fit, pan and zoom, in data units.

use crate::protocol::Viewport;

/// Room around the points, as a share of their extent.
const MARGIN: f64 = 0.04;
/// A zoom deeper than this share of the magnitude would leave f64 without digits.
const SHARE_MIN: f64 = 1e-12;
/// Zooming out ends here: so many times the extent that is shown when all is shown.
const ZOOM_OUT_MAX: f64 = 20.0;

/// Everything, with some room around.
pub fn fit(x_extent: [f64; 2], y_extent: [f64; 2]) -> Viewport {
    Viewport { x: widened(x_extent), y: widened(y_extent) }
}

fn widened([low, high]: [f64; 2]) -> [f64; 2] {
    if !(low.is_finite() && high.is_finite()) {
        return [0.0, 1.0];
    }
    let room = match high - low {
        width if width > 0.0 => width * MARGIN,
        _ if low == 0.0 => 1.0,
        _ => low.abs() * 0.1,
    };
    [low - room, high + room]
}

/// Moved by shares of its width and height; positive is right and up.
pub fn panned(viewport: Viewport, right: f64, up: f64) -> Viewport {
    let moved = |[low, high]: [f64; 2], share: f64| {
        let by = (high - low) * share;
        finite([low + by, high + by]).unwrap_or([low, high])
    };
    Viewport { x: moved(viewport.x, right), y: moved(viewport.y, up) }
}

/// Scaled by `factor` (below one: closer) about a place given as shares of the width from
/// the left and of the height from the bottom. `whole` bounds how far out.
pub fn zoomed(viewport: Viewport, factor: f64, at: [f64; 2], whole: Viewport) -> Viewport {
    let scaled = |[low, high]: [f64; 2], share: f64, [least, most]: [f64; 2]| {
        let width = high - low;
        let deepest = low.abs().max(high.abs()).max(f64::MIN_POSITIVE) * SHARE_MIN;
        let widest = ((most - least) * ZOOM_OUT_MAX).max(width);
        let new = (width * factor).clamp(deepest.min(width), widest);
        let fixed = low + width * share;
        finite([fixed - new * share, fixed + new * (1.0 - share)]).unwrap_or([low, high])
    };
    Viewport { x: scaled(viewport.x, at[0], whole.x), y: scaled(viewport.y, at[1], whole.y) }
}

fn finite(range: [f64; 2]) -> Option<[f64; 2]> {
    (range[0].is_finite() && range[1].is_finite() && range[0] < range[1]).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Viewport = Viewport { x: [0.0, 100.0], y: [-50.0, 50.0] };

    #[test]
    fn everything_fits_even_a_single_point() {
        assert_eq!(fit([0.0, 100.0], [-1.0, 1.0]).x, [-4.0, 104.0]);
        assert_eq!(fit([5.0, 5.0], [0.0, 0.0]), Viewport { x: [4.5, 5.5], y: [-1.0, 1.0] });
        assert_eq!(fit([f64::NAN, 1.0], [f64::INFINITY, 0.0]).x, [0.0, 1.0]);
    }

    #[test]
    fn the_place_under_the_pointer_stays() {
        let closer = zoomed(WHOLE, 0.5, [0.25, 0.75], WHOLE);
        assert_eq!(closer, Viewport { x: [12.5, 62.5], y: [-12.5, 37.5] });
        let back = zoomed(closer, 2.0, [0.25, 0.75], WHOLE);
        assert_eq!(back, WHOLE);
        assert_eq!(panned(WHOLE, 0.5, -0.1), Viewport { x: [50.0, 150.0], y: [-60.0, 40.0] });
    }

    #[test]
    fn zoom_ends_where_numbers_do() {
        let mut viewport = WHOLE;
        for _ in 0..500 {
            viewport = zoomed(viewport, 0.8, [0.3, 0.3], WHOLE);
            assert!(viewport.x[0] < viewport.x[1] && viewport.y[0] < viewport.y[1]);
        }
        for _ in 0..500 {
            viewport = zoomed(viewport, 1.25, [0.3, 0.3], WHOLE);
        }
        assert!(viewport.x[1] - viewport.x[0] <= 2000.0 + 1e-6);
    }
}
