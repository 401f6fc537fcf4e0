//! The pure parts one by one: stamps, tones, palettes, projections, axes.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use arrow_buffer::ScalarBuffer;

use super::axis::Axis;
use super::density::Density;
use super::palette::{CATEGORIES, MISSING, OTHER, Palette, RAMP_LAST, Rgb, ramp_index};
use super::points::{CHUNK_ROWS, Points};
use super::projection::Projection;
use super::stamp::{SUBPIXELS, Stamp};
use super::tone::{Tone, ToneTable, key_of};
use super::{Size, Theme};
use crate::look::Ramp;
use crate::protocol::Viewport;

#[test]
fn stamps_weigh_what_their_discs_cover() {
    for radius in [0.75f32, 1.0, 2.3, 8.0, 24.0] {
        let stamp = Stamp::disc(radius, 1000);
        let table = stamp.table();
        let area = stamp.side() * stamp.side();
        assert_eq!(table.len(), SUBPIXELS * SUBPIXELS * area, "{radius}");
        for square in table.chunks(area) {
            let covered = square.iter().sum::<u32>() as f32 / stamp.unit as f32;
            let disc = std::f32::consts::PI * stamp.radius.powi(2);
            assert!((covered - disc).abs() < 0.12 * disc + 0.5, "{radius}: {covered} of {disc}");
            // The stamp's square holds all of the disc.
            let side = stamp.side();
            let at = |row: usize, column: usize| square[row * side + column];
            assert!((0..side).all(|i| at(0, i).max(at(i, 0)) <= stamp.unit), "{radius}");
        }
    }
}

#[test]
fn sums_of_stamps_fit() {
    for points in [1, 1000, 1_000_000, 16_000_000] {
        let stamp = Stamp::disc(3.0, points);
        assert!(u64::from(stamp.unit) * 255 * points as u64 <= u64::from(u32::MAX), "{points}");
        assert!(stamp.unit.is_power_of_two());
    }
    for radius in [0.0, 0.7, -1.0, f32::NAN] {
        assert_eq!(Stamp::disc(radius, 10), Stamp::PIXEL);
    }
}

#[test]
fn tones_rise_from_nothing_to_opaque() {
    for (unit, peak) in [(1, 1), (1, 100), (128, 128 * 5), (1, u32::MAX), (64, 0)] {
        let tone = Tone { unit, opacity: 0.3, peak, strength: 1.0 };
        let table = ToneTable::new(tone);
        assert_eq!(table.opacity(0), 0.0);
        assert!((tone.opacity_of(unit) - 0.3).abs() < 1e-6);
        let mut last = 0.0;
        for step in 0..4000u64 {
            let coverage = (step * step * step).min(u64::from(u32::MAX)) as u32;
            let opacity = table.opacity(coverage);
            assert!(opacity >= last && opacity <= 1.0, "{unit} {peak} {coverage}");
            assert!((opacity - tone.opacity_of(coverage)).abs() < 1.0 / 512.0, "{coverage}");
            last = opacity;
        }
        if peak > 8 * unit {
            assert!((table.opacity(peak) - 1.0).abs() < 0.01, "{unit} {peak}");
        }
    }
    assert_eq!(key_of(0), 0);
    assert_eq!(key_of(511), 511);
    assert_eq!(key_of(512), 512);
    assert_eq!(key_of(513), 512);
}

/// Relative luminance and contrast as WCAG has them.
fn contrast(one: Rgb, other: Rgb) -> f32 {
    let luminance = |color: Rgb| {
        let [red, green, blue] = linear(color);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn linear(color: Rgb) -> [f32; 3] {
    color.channels().map(|channel| {
        let share = channel / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    })
}

/// OKLab, in which distances are about as they are seen.
fn oklab([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let long = (0.412_221_46 * red + 0.536_332_55 * green + 0.051_445_995 * blue).cbrt();
    let medium = (0.211_903_5 * red + 0.680_699_5 * green + 0.107_396_96 * blue).cbrt();
    let short = (0.088_302_46 * red + 0.281_718_85 * green + 0.629_978_7 * blue).cbrt();
    [
        0.210_454_26 * long + 0.793_617_8 * medium - 0.004_072_047 * short,
        1.977_998_5 * long - 2.428_592_2 * medium + 0.450_593_7 * short,
        0.025_904_037 * long + 0.782_771_77 * medium - 0.808_675_77 * short,
    ]
}

/// Normal sight, then without the long, medium and short cone (Machado and others, 2009).
const SIGHTS: [[[f32; 3]; 3]; 4] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ],
    [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_82, 0.042_94, 0.968_881],
    ],
    [
        [1.255_528, -0.076_749, -0.178_779],
        [-0.078_411, 0.930_809, 0.147_602],
        [0.004_733, 0.691_367, 0.3039],
    ],
];

fn seen(color: Rgb, sight: &[[f32; 3]; 3]) -> [f32; 3] {
    let [red, green, blue] = linear(color);
    oklab(sight.map(|row| (row[0] * red + row[1] * green + row[2] * blue).clamp(0.0, 1.0)))
}

fn distance(one: [f32; 3], other: [f32; 3]) -> f32 {
    one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

#[test]
fn categories_stand_out_from_backgrounds_and_each_other() {
    let colors: Vec<Rgb> = Palette::categorical(Theme::Light).colors()[..CATEGORIES].to_vec();
    for (index, color) in colors.iter().enumerate() {
        assert!(contrast(*color, Theme::Light.background()) >= 2.2, "{index} on light");
        assert!(contrast(*color, Theme::Dark.background()) >= 3.0, "{index} on dark");
        for (other_index, other) in colors[..index].iter().enumerate() {
            let apart = distance(seen(*color, &SIGHTS[0]), seen(*other, &SIGHTS[0]));
            assert!(apart > 0.1, "{index} and {other_index}: {apart}");
            let hardest =
                SIGHTS.iter().map(|sight| distance(seen(*color, sight), seen(*other, sight)));
            let hardest = hardest.fold(f32::INFINITY, f32::min);
            assert!(index >= 8 || hardest > 0.1, "{index} and {other_index}: {hardest}");
        }
    }
}

#[test]
fn ramps_rise_and_leave_room_for_what_is_missing() {
    for (theme, (ramp, name)) in [Theme::Light, Theme::Dark]
        .into_iter()
        .flat_map(|theme| Ramp::ALL.map(|ramp| (theme, ramp)))
    {
        let palette = Palette::ramp(theme, ramp, false);
        for sight in &SIGHTS {
            let lightness = |index: u8| seen(palette.color(index), sight)[0];
            for index in 1..=RAMP_LAST {
                let rise = lightness(index) - lightness(index - 1);
                let rises = match (ramp, theme) {
                    // Towards its middle and away from it.
                    (Ramp::Vik, _) if index < 127 => rise > -3e-3,
                    (Ramp::Vik, _) => index < 140 || rise < 3e-3,
                    (_, Theme::Dark) => rise > -3e-3,
                    (_, Theme::Light) => rise < 3e-3,
                };
                assert!(rises, "{theme:?} {name} {index}: {rise}");
            }
            // What has no number is not taken for one that has.
            for index in 0..=RAMP_LAST {
                let apart =
                    distance(seen(palette.color(OTHER), sight), seen(palette.color(index), sight));
                assert!(apart > 0.1, "{theme:?} {name} {index}: {apart}");
            }
            let apart =
                distance(seen(palette.color(OTHER), sight), seen(palette.color(MISSING), sight));
            assert!(apart > 0.1, "{theme:?} {name}: {apart}");
        }
        assert!(contrast(palette.color(0), theme.background()) > 1.2, "{theme:?} {name}");
        let turned = Palette::ramp(theme, ramp, true);
        for index in 0..=RAMP_LAST {
            let (one, other) = (palette.color(index), turned.color(RAMP_LAST - index));
            let apart =
                one.channels().into_iter().zip(other.channels()).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f32::max) <= 1.0, "{theme:?} {name} {index}");
        }
    }
    let css = Palette::ramp(Theme::Dark, Ramp::Viridis, false).ramp_css(5);
    assert_eq!(css.len(), 5);
    assert!(css.iter().all(|color| color.len() == 7 && color.starts_with('#')), "{css:?}");
    assert_eq!(Rgb(1, 160, 255).css(), "#01a0ff");
}

#[test]
fn ramp_indices_leave_the_ends_to_what_is_beyond() {
    for (share, expected) in
        [(0.0, 1), (1.0, RAMP_LAST - 1), (0.5, 127), (-9.0, 1), (f64::INFINITY, RAMP_LAST - 1)]
    {
        assert_eq!(ramp_index(share), expected, "{share}");
    }
    let palette = Palette::ramp(Theme::Light, Ramp::Viridis, false);
    assert_eq!(palette.color(0), palette.color(1));
    assert_eq!(palette.color(RAMP_LAST), palette.color(RAMP_LAST - 1));
}

#[test]
fn projections_invert() {
    let viewport = Viewport { x: [1e15, 1e15 + 8.0], y: [5.0, -5.0] };
    let projection = Projection::new(viewport, 800.0, 400.0);
    assert_eq!(projection.pixel(1e15 + 2.0, 5.0), (200.0, 400.0));
    assert_eq!(projection.data(200.0, 0.0), (1e15 + 2.0, -5.0));
}

#[test]
fn axes_keep_what_f32_holds_as_it_is() {
    assert_eq!(Axis::fitting(&[1.0, 0.5, f64::NAN]), Some(Axis::PLAIN));
    assert_eq!(Axis::fitting(&[f64::NAN, f64::INFINITY]), None);
    assert_eq!(Axis::fitting(&[]), None);
    let axis = Axis::fitting(&[0.1, 0.2, 1e9]).unwrap();
    assert_ne!(axis, Axis::PLAIN);
    assert_eq!(axis.split(0.2).stored(), 0.0);
}

#[test]
fn densities_find_the_bin_under_a_pixel() {
    let extent = Viewport { x: [0.0, 4.0], y: [0.0, 2.0] };
    let density = Density::new(&[1, 2, 3, 4, 5, 6, 7, u64::MAX], 4, extent);
    let size = Size { width: 6, height: 4, pixel_ratio: 1.0 };
    let (columns, rows) = density.bins_under(Viewport { x: [-1.0, 5.0], y: [-1.0, 3.0] }, size);
    assert_eq!(columns, [-1, 0, 1, 2, 3, -1]);
    assert_eq!(rows, [-1, 1, 0, -1]);
    assert_eq!(density.counts()[0], 1, "halving leaves no bin empty");
    assert_eq!(density.counts()[7], u32::MAX);
}

#[test]
fn stamps_of_a_size_cover_as_much_whatever_their_shape() {
    use super::stamp::{SIZES, SUBPIXELS, Shape, Stamp, Stamps, radius_of};
    let largest = Stamp::disc(12.0, 1000);
    let stamps = Stamps::of(largest);
    assert_eq!(stamps.all.len(), SIZES * Shape::ALL.len());
    for (at, (stamp, from)) in stamps.all.iter().enumerate() {
        let side = stamp.side();
        let middle = (SUBPIXELS * SUBPIXELS / 2 + SUBPIXELS / 2) * side * side;
        let weights = &stamps.weights[from + middle..from + middle + side * side];
        let area = f64::from(weights.iter().sum::<u32>()) / f64::from(stamp.unit);
        let radius = 12.0 * f64::from(radius_of(at % SIZES));
        let expected = std::f64::consts::PI * radius * radius;
        let slack = if stamp.shape == Shape::Ring { 0.75 } else { 0.12 };
        assert!((area / expected - 1.0).abs() < slack, "{stamp:?}: {area} for {expected}");
        // Nothing of it is cut off.
        let rim =
            |row: usize, column: usize| [row, column].iter().any(|at| *at == 0 || *at == side - 1);
        let most =
            (0..side * side).filter(|at| rim(at / side, at % side)).map(|at| weights[at]).max();
        assert!(most.is_some_and(|most| most < stamp.unit), "{stamp:?}");
        assert_eq!(stamp.unit, largest.unit);
    }
    // Areas grow evenly.
    let area = |size: usize| radius_of(size).powi(2);
    let step = area(1) - area(0);
    assert!((1..SIZES).all(|size| (area(size) - area(size - 1) - step).abs() < 1e-5));
}

#[test]
fn what_a_column_keeps_is_what_would_be_copied() {
    let many = CHUNK_ROWS + 100;
    let value = |row: usize| match row % 17 {
        3 => f32::NAN,
        _ => (row as f32).sin() * 100.0,
    };
    let plain: Vec<f32> = (0..many).map(value).collect();
    let endless: Vec<f32> =
        (0..many).map(|row| if row == 70 { f32::INFINITY } else { value(row) }).collect();
    for (xs, ys) in [(&plain, &plain), (&plain, &endless), (&endless, &plain)] {
        let (mut kept, mut copied) = (Points::new(), Points::new());
        for rows in [0..CHUNK_ROWS, CHUNK_ROWS..many] {
            let [xs, ys] = [xs, ys].map(|values| &values[rows.clone()]);
            let wide =
                |values: &[f32]| -> Vec<f64> { values.iter().map(|v| f64::from(*v)).collect() };
            let column = |values: &[f32]| Some(ScalarBuffer::from(values.to_vec()));
            kept.append_kept([&wide(xs), &wide(ys)], [column(xs), column(ys)], &[]);
            copied.append(&wide(xs), &wide(ys), &[]);
        }
        let same = |kept: &Points, copied: &Points| {
            (0..many).all(|row| kept.position(row) == copied.position(row))
                && kept.stored_extent() == copied.stored_extent()
                && kept.chunks().iter().zip(copied.chunks()).all(|(kept, copied)| {
                    kept.x.hi.len() == copied.x.hi.len() && kept.y.hi.len() == copied.y.hi.len()
                })
        };
        assert!(same(&kept, &copied));
        assert!(kept.bytes() < copied.bytes());
        // What has to be stored otherwise from now on is a copy.
        for points in [&mut kept, &mut copied] {
            points.append(&[1e60], &[1e50], &[]);
        }
        assert!(same(&kept, &copied));
        assert_eq!(kept.bytes(), copied.bytes());
    }
}
