//! Coordinates, viewports and canvases at the edges of what numbers can be.

use app::draw::density::Density;
use app::draw::palette::Palette;
use app::draw::points::Points;
use app::draw::raster::Raster;
use app::draw::{Frame, Picture, Size, Style, Theme, Unselected};
use app::protocol::Viewport;

use super::{SIZE, drawn};

fn points_of(x: &[f64], y: &[f64]) -> Points {
    let mut points = Points::new();
    points.append(x, y, &[]);
    points
}

fn frame(palette: &Palette, viewport: Viewport) -> Frame<'_> {
    Frame {
        viewport,
        palette,
        theme: Theme::Light,
        style: Style { radius: Some(1.0), opacity: Some(1.0), ..Style::default() },
        selected: None,
        unselected: Unselected::Faint,
        highlight: Some(0),
        pinned: None,
    }
}

/// Centres of the drawn spots along the middle line, in pixels.
fn spots(points: &Points, viewport: Viewport) -> Vec<f64> {
    let palette = Palette::single(Theme::Light, app::look::Ramp::Viridis, false);
    let frame = Frame { highlight: None, ..frame(&palette, viewport) };
    let pixels = drawn(&mut Raster::default(), Picture::Points(points), &frame, SIZE);
    let width = SIZE.width as usize;
    let ink = |column: usize| {
        let line = |row: usize| f64::from(255 - pixels[(row * width + column) * 4]);
        (0..SIZE.height as usize).map(line).sum::<f64>()
    };
    let mut spots = Vec::new();
    let (mut weight, mut moment) = (0.0, 0.0);
    for column in 0..=width {
        let ink = if column < width { ink(column) } else { 0.0 };
        if ink > 0.0 {
            weight += ink;
            moment += ink * (column as f64 + 0.5);
        } else if weight > 0.0 {
            spots.push(moment / weight);
            (weight, moment) = (0.0, 0.0);
        }
    }
    spots
}

#[test]
fn far_coordinates_stay_sharp_when_zoomed() {
    // Genome positions, milliseconds, and as far as f64 itself has whole numbers; with
    // points far away, some of them in a later batch.
    for (start, step) in [
        (3_100_000_000.0, 1.0),
        (1_760_000_000_000.0, 0.25),
        (1e15, 1.0),
        (-1e15, 1.0),
        (0.1, 1e-12),
    ] {
        let x: Vec<f64> = (0..8).map(|i| start + (f64::from(i) + 0.5) * step).collect();
        let mut points = points_of(&x, &[0.5; 8]);
        points.append(&[0.0, start * 2.0], &[0.5; 2], &[]);
        let viewport = Viewport { x: [start, start + 8.0 * step], y: [0.0, 1.0] };
        let spots = spots(&points, viewport);
        assert_eq!(spots.len(), 8, "{start}: {spots:?}");
        for (i, spot) in spots.iter().enumerate() {
            let expected = (i as f64 + 0.5) / 8.0 * f64::from(SIZE.width);
            assert!(
                (spot - expected).abs() < 0.3,
                "{start}: point {i} is at {spot}, not {expected}"
            );
        }
        for (row, value) in x.iter().enumerate() {
            let (kept, _) = points.position(row).unwrap();
            assert!((kept - value).abs() <= step * 1e-3, "{start}: row {row} reads {kept}");
        }
    }
}

#[test]
fn axes_may_run_backwards() {
    let points = points_of(&[1.0, 8.0], &[0.5, 0.5]);
    let forwards = spots(&points, Viewport { x: [0.0, 10.0], y: [0.0, 1.0] });
    let backwards = spots(&points, Viewport { x: [10.0, 0.0], y: [1.0, 0.0] });
    assert_eq!(forwards.len(), 2);
    for (there, back) in forwards.iter().zip(backwards.iter().rev()) {
        assert!((there + back - f64::from(SIZE.width)).abs() < 0.3, "{there} {back}");
    }
}

#[test]
fn values_that_are_none_are_not_drawn() {
    let nothing = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN];
    let viewport = Viewport { x: [0.0, 1.0], y: [0.0, 1.0] };
    let empty = spots(&points_of(&[], &[]), viewport);
    assert!(empty.is_empty());
    let missing = points_of(&nothing, &[0.5; 4]);
    assert!(spots(&missing, viewport).is_empty());
    let mut late = missing;
    late.append(&[0.5, 0.5], &[0.5, f64::NAN], &[]);
    late.append(&[0.25], &[], &[]);
    assert_eq!(spots(&late, viewport).len(), 1);
    assert_eq!(late.position(4), Some((0.5, 0.5)));
    assert_eq!(late.position(5), None);
    assert_eq!(late.position(6), None);
    assert_eq!(late.position(7), None);
}

#[test]
fn values_of_any_size_share_an_axis() {
    for values in [
        [1e300, -1e300, 1.0],
        [f64::MAX, f64::MIN, 0.0],
        [1e-300, 1e300, 1.0],
        [1e38, 1e-38, 3.4e38],
    ] {
        let mut points = Points::new();
        for value in values {
            points.append(&[value], &[0.5], &[]);
        }
        for (row, value) in values.iter().enumerate() {
            let (kept, _) = points.position(row).unwrap();
            let most = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
            assert!((kept - value).abs() <= most * 1e-12, "{values:?}: row {row} reads {kept}");
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let _drawn = spots(&points, Viewport { x: [low, high], y: [0.0, 1.0] });
    }
}

#[test]
fn no_viewport_and_no_canvas_is_too_odd() {
    let palette = Palette::single(Theme::Dark, app::look::Ramp::Viridis, false);
    let points = points_of(&[0.0, 0.5, 1e30, -3.0], &[1.0, 0.5, -1e30, f64::NAN]);
    let density =
        Density::new(&[1, 2, 3, u64::MAX, 0], 2, Viewport { x: [0.0, 0.0], y: [f64::NAN, 1.0] });
    let none = Density::new(&[], 0, Viewport { x: [0.0, 1.0], y: [0.0, 1.0] });
    let edges =
        [0.0, 1.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324, 1e300];
    let sizes = [(0, 0), (1, 1), (0, 7), (3, 2)];
    let mut raster = Raster::default();
    for (width, height) in sizes {
        for low in edges {
            for high in edges {
                for pixel_ratio in [1.0, 0.0, f32::NAN] {
                    let size = Size { width, height, pixel_ratio };
                    let viewport = Viewport { x: [low, high], y: [high, low] };
                    for picture in [
                        Picture::Points(&points),
                        Picture::Density(&density),
                        Picture::Density(&none),
                    ] {
                        let pixels = drawn(&mut raster, picture, &frame(&palette, viewport), size);
                        assert_eq!(pixels.len(), (width * height * 4) as usize);
                    }
                }
            }
        }
    }
}

#[test]
fn styles_and_masks_of_any_length_are_taken() {
    let palette = Palette::categorical(Theme::Light);
    let points = points_of(&[0.5; 100], &[0.5; 100]);
    let viewport = Viewport { x: [0.0, 1.0], y: [0.0, 1.0] };
    for radius in [None, Some(0.0), Some(-1.0), Some(f32::NAN), Some(1e9)] {
        for opacity in [None, Some(0.0), Some(2.0), Some(f32::NAN)] {
            for words in [&[][..], &[u64::MAX], &[u64::MAX; 9]] {
                let style = Style { radius, opacity, ..Style::default() };
                let frame = Frame {
                    style,
                    selected: Some(words),
                    highlight: Some(usize::MAX),
                    pinned: Some(usize::MAX),
                    ..frame(&palette, viewport)
                };
                drawn(&mut Raster::default(), Picture::Points(&points), &frame, SIZE);
            }
        }
    }
}
