//! Sums in whole numbers: neither the order of rows, nor the slices of work, nor the way a
//! selection was reached may show.

use std::cell::Cell;

use app::draw::palette::{Palette, RAMP_LAST};
use app::draw::points::Points;
use app::draw::raster::{Drawn, Raster};
use app::draw::stamp::Part;
use app::draw::tone::Tone;
use app::draw::{Frame, Picture, Size, Style, Theme, Unselected};
use app::protocol::Viewport;

use super::scenes::Scene;
use super::{SIZE, drawn};

/// Rows as they come, in one of two orders.
struct Rows {
    x: Vec<f64>,
    y: Vec<f64>,
    colors: Vec<u8>,
    selected: Vec<bool>,
}

/// Coordinates are whole parts of 2¹⁶, so that they are kept as they are: where the origin
/// lies follows from the first rows, and digits beyond f32's are rounded about it.
fn rows(count: usize) -> Rows {
    let place = |i: usize, by: usize| (i * by % 60_013) as f64 / 65_536.0;
    Rows {
        x: (0..count).map(|i| place(i, 101)).collect(),
        y: (0..count).map(|i| place(i, 211) * 0.5 + place(i * i, 13) * 0.25).collect(),
        colors: (0..count).map(|i| (i % 19) as u8).collect(),
        selected: (0..count).map(|i| i % 3 != 0).collect(),
    }
}

impl Rows {
    /// The same rows, row `i` moved to `i × 389` modulo their number, which is prime to it.
    fn shuffled(&self) -> Self {
        let order: Vec<usize> = (0..self.x.len()).map(|i| i * 389 % self.x.len()).collect();
        Self {
            x: order.iter().map(|i| self.x[*i]).collect(),
            y: order.iter().map(|i| self.y[*i]).collect(),
            colors: order.iter().map(|i| self.colors[*i]).collect(),
            selected: order.iter().map(|i| self.selected[*i]).collect(),
        }
    }

    fn points(&self, colored: bool) -> Points {
        let mut points = Points::new();
        points.append(&self.x, &self.y, if colored { &self.colors } else { &[] });
        points
    }

    fn words(&self) -> Vec<u64> {
        let word =
            |bits: &[bool]| bits.iter().rev().fold(0, |word, bit| word << 1 | u64::from(*bit));
        self.selected.chunks(64).map(word).collect()
    }
}

fn frame<'a>(palette: &'a Palette, selected: Option<&'a [u64]>) -> Frame<'a> {
    Frame {
        viewport: Viewport { x: [0.0, 1.0], y: [0.0, 1.0] },
        palette,
        theme: Theme::Light,
        style: Style { form: app::look::Form::Points, ..Style::default() },
        selected,
        unselected: Unselected::Faint,
        highlight: None,
        pinned: None,
    }
}

#[test]
fn the_order_of_rows_does_not_show() {
    let palette = Palette::categorical(Theme::Light);
    // Discs and pixels; the counts are prime to the shuffle.
    for count in [3001, 300_001] {
        for colored in [false, true] {
            let (one, other) = (rows(count), rows(count).shuffled());
            let picture = |rows: &Rows| {
                let (points, words) = (rows.points(colored), rows.words());
                let frame = frame(&palette, Some(&words));
                drawn(&mut Raster::default(), Picture::Points(&points), &frame, SIZE)
            };
            assert!(picture(&one) == picture(&other), "{count} rows, colored: {colored}");
        }
    }
}

#[test]
fn a_selection_reached_by_steps_is_the_selection() {
    let palette = Palette::categorical(Theme::Dark);
    for count in [4000, 400_000] {
        let rows = rows(count);
        let points = rows.points(true);
        let whole: Vec<u64> = rows.words();
        let mut raster = Raster::default();
        let mut words = vec![0u64; whole.len()];
        // Forwards, back a little, everything, nothing, and there.
        for step in 0..9usize {
            match step {
                5 => words.fill(u64::MAX),
                6 => words.fill(0),
                8 => words.clone_from(&whole),
                step => words
                    .iter_mut()
                    .skip(step)
                    .step_by(3)
                    .for_each(|word| *word ^= 0x00ff_0f0f_3333_aaaa),
            }
            let frame = frame(&palette, Some(&words));
            let stepped = drawn(&mut raster, Picture::Points(&points), &frame, SIZE);
            let fresh = drawn(&mut Raster::default(), Picture::Points(&points), &frame, SIZE);
            assert!(stepped == fresh, "step {step} of {count} rows");
        }
    }
}

#[test]
fn rows_that_arrive_are_added_to_those_drawn() {
    let palette = Palette::categorical(Theme::Light);
    let rows = rows(200_000);
    let mut points = Points::new();
    let mut raster = Raster::default();
    for first in (0..200_000).step_by(33_333) {
        let part = first..(first + 33_333).min(200_000);
        // Colours come with the rows, or after them.
        let colors = &rows.colors[part.clone()];
        let late = first % 2 == 1;
        points.append(&rows.x[part.clone()], &rows.y[part], if late { &[] } else { colors });
        if late {
            points.set_colors(first, colors);
        }
        let frame = frame(&palette, None);
        let grown = drawn(&mut raster, Picture::Points(&points), &frame, SIZE);
        let fresh = drawn(&mut Raster::default(), Picture::Points(&points), &frame, SIZE);
        assert!(grown == fresh, "after row {first}");
    }
    assert_eq!(points.rows(), 200_000);
}

#[test]
fn new_colors_and_palettes_show() {
    let (light, dark) = (
        Palette::categorical(Theme::Light),
        Palette::ramp(Theme::Light, app::look::Ramp::Viridis, false),
    );
    let rows = rows(5000);
    let mut points = rows.points(false);
    let mut raster = Raster::default();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut check = |points: &Points, palette: &Palette| {
        let frame = frame(palette, None);
        let pixels = drawn(&mut raster, Picture::Points(points), &frame, SIZE);
        assert!(pixels == drawn(&mut Raster::default(), Picture::Points(points), &frame, SIZE));
        assert!(!seen.contains(&pixels), "picture {} is not new", seen.len());
        seen.push(pixels);
    };
    check(&points, &light);
    points.set_colors(0, &rows.colors);
    check(&points, &light);
    check(&points, &dark);
    points.set_colors(1000, &[200; 300]);
    check(&points, &dark);
    points.clear_colors();
    check(&points, &dark);
}

/// A clock that ticks once for each look at it.
fn ticking() -> (impl Fn() -> f64, impl Fn() -> f64) {
    let ticks = std::rc::Rc::new(Cell::new(0.0));
    let looked = ticks.clone();
    let tick = move || {
        ticks.set(ticks.get() + 1.0);
        ticks.get()
    };
    (tick, move || looked.get())
}

#[test]
fn work_in_slices_comes_to_the_same_and_shows_parts() {
    for name in ["few", "many", "selected", "large", "bins"] {
        let scene = Scene::named(name).unwrap();
        let whole = super::drawn_scene(&scene, SIZE);
        let (clock, now) = ticking();
        let mut raster = Raster::default();
        let (mut slices, mut parts) = (0, 0);
        loop {
            slices += 1;
            match raster.draw(scene.picture(), &scene.frame(), SIZE, &clock, now() + 3.0) {
                Drawn::Whole { .. } => break,
                Drawn::Part => parts += 1,
                Drawn::Nothing => {}
            }
            assert!(slices < 100_000, "{name} is never done");
        }
        assert!(raster.pixels() == whole, "{name}");
        let again = raster.draw(scene.picture(), &scene.frame(), SIZE, &clock, now() + 3.0);
        assert_eq!(again, Drawn::Whole { changed: false }, "{name}");
        if name == "selected" {
            assert!(slices > 50 && parts > 1, "{slices} slices, {parts} parts");
        }
    }
}

#[test]
fn a_selection_that_changes_midway_wins() {
    let palette = Palette::categorical(Theme::Light);
    let rows = rows(300_000);
    let (points, words) = (rows.points(true), rows.words());
    let (clock, now) = ticking();
    let mut raster = Raster::default();
    let other: Vec<u64> = words.iter().map(|word| !word).collect();
    for call in 0..40 {
        let words = if call % 2 == 0 { &words } else { &other };
        raster.draw(
            Picture::Points(&points),
            &frame(&palette, Some(words)),
            SIZE,
            &clock,
            now() + 5.0,
        );
    }
    let size = Size { width: 200, ..SIZE };
    raster.draw(
        Picture::Points(&points),
        &frame(&palette, Some(&words)),
        size,
        &clock,
        now() + 5.0,
    );
    let frame = frame(&palette, Some(&words));
    let last = drawn(&mut raster, Picture::Points(&points), &frame, SIZE);
    assert!(last == drawn(&mut Raster::default(), Picture::Points(&points), &frame, SIZE));
}

#[test]
fn a_view_that_moves_all_the_time_is_shown_now_and_then() {
    let mut scene = Scene::of_points(100_000, true);
    let (clock, now) = ticking();
    let mut raster = Raster::default();
    let (mut pictures, mut calls) = (0, 0);
    while calls < 400 {
        calls += 1;
        scene.pan(1e-3);
        let drawn = raster.draw(scene.picture(), &scene.frame(), SIZE, &clock, now() + 4.0);
        pictures += usize::from(matches!(drawn, Drawn::Part | Drawn::Whole { changed: true }));
    }
    assert!(pictures > 20, "{pictures} pictures in {calls} calls");
    let last = drawn(&mut raster, scene.picture(), &scene.frame(), SIZE);
    assert!(last == super::drawn_scene(&scene, SIZE));
}

#[test]
fn a_density_has_each_point_in_its_cell_and_no_other() {
    let palette = Palette::single(Theme::Light, app::look::Ramp::Viridis, false);
    let rows = rows(20_011);
    let (points, words) = (rows.points(false), rows.words());
    let style = Style { form: app::look::Form::Density, ..Style::default() };
    let frame = Frame { style, unselected: Unselected::Hidden, ..frame(&palette, Some(&words)) };
    let pixels = drawn(&mut Raster::default(), Picture::Points(&points), &frame, SIZE);
    let (across, down) = (SIZE.width as usize / 2, SIZE.height as usize / 2);
    let mut counts = vec![0u32; across * down];
    for row in (0..rows.x.len()).filter(|row| rows.selected[*row]) {
        let column = (rows.x[row] * across as f64) as usize;
        let line = ((1.0 - rows.y[row]) * down as f64) as usize;
        counts[line * across + column] += 1;
    }
    let peak = counts.iter().copied().max().unwrap();
    assert!(peak > 8, "{peak}");
    let tone = Tone { unit: 1, opacity: 0.12, peak, strength: 1.0 };
    for (pixel, color) in pixels.chunks(4).enumerate() {
        let (x, y) = (pixel % SIZE.width as usize, pixel / SIZE.width as usize);
        let expected = match counts[y / 2 * across + x / 2] {
            0 => Theme::Light.background(),
            count => palette.color((tone.opacity_of(count) * f32::from(RAMP_LAST)).round() as u8),
        };
        assert_eq!((color[0], color[1], color[2]), (expected.0, expected.1, expected.2), "{x} {y}");
    }
}

#[test]
fn sizes_and_shapes_are_taken_back_as_they_were_added() {
    let palette = Palette::categorical(Theme::Light);
    let rows = rows(3001);
    let varied = || {
        let mut points = rows.points(true);
        let sizes: Vec<u8> = (0..3001).map(|row| (row % 16) as u8).collect();
        points.set_stamps(0, Part::Size, &sizes);
        let shapes: Vec<u8> = (0..3001).map(|row| (row % 7) as u8).collect();
        points.set_stamps(0, Part::Shape, &shapes);
        points
    };
    let (words, points) = (rows.words(), varied());
    let mut raster = Raster::default();
    // All, then some, as if it were the first picture.
    drawn(&mut raster, Picture::Points(&points), &frame(&palette, None), SIZE);
    let stepped =
        drawn(&mut raster, Picture::Points(&points), &frame(&palette, Some(&words)), SIZE);
    let fresh = drawn(
        &mut Raster::default(),
        Picture::Points(&varied()),
        &frame(&palette, Some(&words)),
        SIZE,
    );
    assert_eq!(stepped, fresh);
    // Alike again they are those that never had any.
    let mut points = points;
    points.clear_stamps();
    let alike = drawn(&mut raster, Picture::Points(&points), &frame(&palette, None), SIZE);
    let never = rows.points(true);
    let plain =
        drawn(&mut Raster::default(), Picture::Points(&never), &frame(&palette, None), SIZE);
    assert_eq!(alike, plain);
    assert_ne!(fresh, plain);
}
