//! The raster's pictures on the host: compared with goldens that were looked at, the same
//! whatever the order of rows and however the work is cut, and without fear of odd input.
//! The scenes are those that the browser draws with both renderers.
//!
//! `LIMN_GOLDENS=write cargo test -p app --test pictures` keeps what is drawn now.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pictures/odd.rs"]
mod odd;
#[path = "pictures/png.rs"]
mod png;
#[path = "../examples/pictures/scenes.rs"]
mod scenes;
#[path = "pictures/sums.rs"]
mod sums;

use std::path::{Path, PathBuf};

use app::draw::raster::{Drawn, Raster};
use app::draw::{Frame, Picture, Size};
use scenes::{NAMES, Scene};

const SIZE: Size = Size { width: 240, height: 160, pixel_ratio: 1.0 };
/// What a channel may be off, for other roundings of logarithms.
const CHANNEL_OFF: u8 = 2;
/// What share of the channels may be off by more.
const SHARE_OFF: f64 = 0.001;

/// Draws with all the time there is; the pixels. One that was under way may come first.
fn drawn(raster: &mut Raster, picture: Picture<'_>, frame: &Frame<'_>, size: Size) -> Vec<u8> {
    for _ in 0..4 {
        if let Drawn::Whole { .. } = raster.draw(picture, frame, size, &|| 0.0, 1.0) {
            return raster.pixels().to_vec();
        }
    }
    panic!("the picture is never done");
}

fn drawn_scene(scene: &Scene, size: Size) -> Vec<u8> {
    drawn(&mut Raster::default(), scene.picture(), &scene.frame(), size)
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/goldens").join(format!("{name}.png"))
}

fn check_golden(name: &str, pixels: &[u8], size: Size) {
    let path = golden_path(name);
    if std::env::var("LIMN_GOLDENS").is_ok_and(|value| value == "write") {
        png::write(&path, pixels, size.width, size.height);
        return;
    }
    let (golden, width, height) = png::read(&path);
    assert_eq!((width, height), (size.width, size.height), "{name}");
    let off = golden.iter().zip(pixels).filter(|(a, b)| a.abs_diff(**b) > CHANNEL_OFF).count();
    let share = off as f64 / pixels.len() as f64;
    assert!(share <= SHARE_OFF, "{name}: {:.3} % of the picture differs", share * 100.0);
}

#[test]
fn pictures_are_as_they_were_when_looked_at() {
    for name in NAMES {
        let scene = Scene::named(name).unwrap();
        check_golden(name, &drawn_scene(&scene, SIZE), SIZE);
    }
    let sharp = Size { width: 480, height: 320, pixel_ratio: 2.0 };
    check_golden("few-sharp", &drawn_scene(&Scene::named("few").unwrap(), sharp), sharp);
}

#[test]
fn a_million_points_are_drawn_as_a_density() {
    let scene = Scene::of_points(1_000_000, true);
    check_golden("million", &drawn_scene(&scene, SIZE), SIZE);
}

#[test]
fn a_moved_view_and_another_selection_are_drawn_as_if_at_first() {
    let mut scene = Scene::of_points(300_000, true);
    let mut raster = Raster::default();
    for step in 0..6 {
        scene.pan(0.013);
        if step % 2 == 1 {
            scene.reselect(7);
        }
        let moved = drawn(&mut raster, scene.picture(), &scene.frame(), SIZE);
        assert!(moved == drawn_scene(&scene, SIZE), "step {step}");
    }
}
