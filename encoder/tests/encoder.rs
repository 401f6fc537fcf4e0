//! Models, pictures and texts of `data`, against what onnxruntime, Pillow and tokenizers make of
//! them; and files that are none. `data/make.py` made both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use encoder::{
    CLIP, Encoder, Error, Failure, Filter, Fit, HALF, IMAGENET, Kind, Limits, OpenOptions, Options,
    Pixels, Pooling, Preprocessing, Run, Source, Unwatched, Watch, resize, run,
};
use serde_json::Value;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn model(name: &str) -> PathBuf {
    data(name).join("model.onnx")
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(data("expected.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn picture(name: &str) -> Source {
    Source::Path(data(name))
}

fn opened(name: &str) -> Encoder {
    Encoder::open(&model(name), &Options::default()).unwrap()
}

fn refused(name: &str) -> Error {
    Encoder::open(&model(name), &Options::default()).unwrap_err()
}

#[test]
fn pictures_are_resized_to_the_pixels_of_pillow() {
    let reader = image::ImageReader::open(data("picture.png")).unwrap().decode().unwrap();
    let rgb = reader.into_rgb8();
    for case in expected()["resized"].as_array().unwrap() {
        let filter = match case["filter"].as_str().unwrap() {
            "nearest" => Filter::Nearest,
            "bilinear" => Filter::Bilinear,
            "bicubic" => Filter::Bicubic,
            _ => Filter::Lanczos,
        };
        let side = |name: &str| case[name].as_u64().unwrap() as usize;
        let pixels = Pixels { width: 37, height: 23, values: rgb.as_raw().clone() };
        let ours = resize(pixels, side("width"), side("height"), filter);
        let theirs: Vec<u8> = numbers(&case["values"]).iter().map(|value| *value as u8).collect();
        assert_eq!(ours.values, theirs, "{filter:?} {} × {}", ours.width, ours.height);
    }
}

#[test]
fn images_have_the_vectors_of_onnxruntime() {
    let expected = expected();
    for name in ["image", "image-nhwc", "image-batch-4"] {
        let encoder = opened(name);
        assert_eq!(encoder.model().output(), "image_embeds");
        for (file, vector) in expected["images"].as_object().unwrap() {
            let row = encoder.encode(&picture(file)).unwrap();
            // Decoders of JPEG round in their own ways; the others have the same pixels.
            let most = if file.ends_with("jpg") { 5e-3 } else { 2e-6 };
            let difference = furthest(&row.vector, &numbers(vector));
            assert!(difference < most, "{name} {file}: {difference}");
            // The JPEG lies on its side, and says so.
            let size = match file.as_str() {
                "picture.png" => (37, 23),
                "tall.png" => (23, 37),
                _ => (92, 148),
            };
            assert_eq!(row.size, Some(size), "{file}");
        }
    }
}

#[test]
fn an_output_is_used_by_its_name_and_not_made_of_length_one_unasked() {
    let options = Options { output: Some("f".into()), is_unit: false, ..Options::default() };
    let encoder = Encoder::open(&model("image"), &options).unwrap();
    let row = encoder.encode(&picture("picture.png")).unwrap();
    let difference = furthest(&row.vector, &numbers(&expected()["first_output"]));
    assert!(difference < 2e-6, "{difference}");
    let options = Options { output: Some("g".into()), ..Options::default() };
    let error = Encoder::open(&model("image"), &options).unwrap_err();
    assert!(matches!(error, Error::NoSuchOutput { .. }), "{error}");
}

#[test]
fn texts_have_the_vectors_of_onnxruntime_padded_or_not() {
    let encoder = opened("text");
    assert_eq!(encoder.model().kind(), Kind::Texts { length: None });
    for case in expected()["texts"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let row = encoder.encode(&Source::Text(text.to_owned())).unwrap();
        let difference = furthest(&row.vector, &numbers(&case["vector"]));
        assert!(difference < 2e-6, "{text:?}: {difference}");
        assert_eq!(row.is_cut, text.len() > 100, "{text:?}");
    }
    // A model for two texts of 20 tokens, of which the second may be none.
    let options = Options { tokenizer: Some(data("text/tokenizer.json")), ..Options::default() };
    let fixed = Encoder::open(&model("text-2-by-20"), &options).unwrap();
    assert_eq!(fixed.model().kind(), Kind::Texts { length: Some(20) });
    let expected = expected();
    let texts = expected["texts"].as_array().unwrap();
    let rows = texts.iter().map(|case| {
        (numbers(&case["vector"]), Source::Text(case["text"].as_str().unwrap().to_owned()))
    });
    let count = run(&fixed, rows, &Run::default(), &Unwatched, |batch| {
        for (vector, row) in batch {
            assert!(furthest(&row.unwrap().vector, &vector) < 2e-6);
        }
        Ok(())
    });
    assert_eq!(count.unwrap(), 5);
    let first = Options { pooling: Some(Pooling::First), ..Options::default() };
    let first = Encoder::open(&model("text"), &first).unwrap();
    let fox = Source::Text("a red fox".to_owned());
    assert_ne!(first.encode(&fox).unwrap().vector, encoder.encode(&fox).unwrap().vector);
}

#[test]
fn a_vector_has_the_same_bits_in_any_batch_on_any_thread() {
    let names = ["picture.png", "tall.png", "turned.jpg"];
    let rows = || (0..20_usize).map(|at| (at, picture(names[at % 3])));
    let encoder = opened("image");
    let all = |batch: usize, threads: usize| {
        let options = Run { batch, threads: NonZeroUsize::new(threads) };
        let mut kept = Vec::new();
        let count = run(&encoder, rows(), &options, &Unwatched, |batch| {
            kept.extend(batch.into_iter().map(|(id, row)| (id, row.unwrap().vector)));
            Ok(())
        });
        assert_eq!(count.unwrap(), 20);
        kept
    };
    let one = all(1, 1);
    assert!(one.iter().map(|(id, _)| *id).eq(0..20));
    for (batch, threads) in [(3, 2), (20, 4), (64, 7)] {
        assert_eq!(all(batch, threads), one);
    }
}

#[test]
fn a_broken_row_is_left_out_with_its_reason_and_no_other() {
    let whole = std::fs::read(data("picture.png")).unwrap();
    let rows = [
        ("whole", Source::Bytes(whole.clone())),
        ("half", Source::Bytes(whole[..whole.len() / 2].to_vec())),
        ("none", Source::Bytes(Vec::new())),
        ("gone", picture("no such.png")),
        ("text", Source::Text("fox".to_owned())),
        ("again", Source::Bytes(whole)),
    ];
    for name in ["image", "image-batch-4"] {
        let mut results = Vec::new();
        let keep = |batch: Vec<_>| {
            results.extend(batch);
            Ok(())
        };
        run(&opened(name), rows.clone(), &Run::default(), &Unwatched, keep).unwrap();
        let failed: Vec<&str> =
            results.iter().filter(|(_, row)| row.is_err()).map(|(id, _)| *id).collect();
        assert_eq!(failed, ["half", "none", "gone", "text"]);
        assert!(matches!(results[1].1, Err(Failure::NotAnImage(_))), "{:?}", results[1].1);
        assert!(matches!(results[3].1, Err(Failure::Unreadable(_))), "{:?}", results[3].1);
        let vector = |at: usize| results[at].1.clone().unwrap().vector;
        assert!(furthest(&vector(0), &vector(5)) < 1e-6);
        assert!(furthest(&vector(0), &numbers(&expected()["images"]["picture.png"])) < 2e-6);
    }
    let limits = Limits { pixels: 37 * 23 - 1, ..Limits::default() };
    let encoder = Encoder::open(&model("image"), &Options { limits, ..Options::default() });
    let failure = encoder.unwrap().encode(&picture("picture.png")).unwrap_err();
    assert_eq!(failure, Failure::TooLarge { width: 37, height: 23, most: 850 });
}

/// Wants the end once so many rows are done.
struct Impatient(AtomicU64, u64);

impl Watch for Impatient {
    fn progress(&self, done: u64) {
        self.0.fetch_max(done, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= self.1
    }
}

#[test]
fn who_cancels_goes_on_after_the_last_batch_kept() {
    let encoder = opened("image");
    let rows = |from: usize| (from..40).map(|at| (at, picture("picture.png")));
    let options = Run { batch: 8, threads: NonZeroUsize::new(2) };
    let mut kept = Vec::new();
    let watch = Impatient(AtomicU64::new(0), 19);
    let ended = run(&encoder, rows(0), &options, &watch, |batch| {
        kept.extend(batch.into_iter().map(|(id, _)| id));
        Ok(())
    });
    assert!(matches!(ended, Err(Error::Cancelled)));
    assert!(kept.iter().copied().eq(0..16), "{kept:?}");
    run(&encoder, rows(16), &options, &Unwatched, |batch| {
        kept.extend(batch.into_iter().map(|(id, _)| id));
        Ok(())
    })
    .unwrap();
    assert!(kept.iter().copied().eq(0..40));
    let refused = run(&encoder, rows(0), &options, &Unwatched, |_| Err("full".to_owned()));
    assert!(matches!(refused, Err(Error::Refused(reason)) if reason == "full"));
}

#[test]
fn a_model_that_does_not_fit_is_refused_with_what_to_do() {
    assert!(
        matches!(refused("unknown"), Error::UnknownOperators { names } if names == ["Frobnicate"])
    );
    assert!(matches!(refused("future"), Error::Opset { version: 99, .. }));
    assert!(matches!(refused("no-image"), Error::NoInput { .. }));
    assert!(matches!(refused("no-vector"), Error::NoOutput { .. }));
    assert!(matches!(refused("too-many"), Error::Inconsistent { .. }));
    assert!(matches!(refused("not there"), Error::Unreadable { .. }));
    let path = data("picture.png");
    let error = encoder::Model::open(&path, &OpenOptions::default()).unwrap_err();
    assert!(matches!(error, Error::NotOnnx { .. }), "{error}");
}

#[test]
fn a_record_beside_a_model_says_how_pictures_are_prepared() {
    let read = |text: &str| Preprocessing::from_json(text, Path::new("preprocessor_config.json"));
    let clip = r#"{"crop_size": {"height": 16, "width": 16}, "do_center_crop": true,
        "do_normalize": true, "do_rescale": true, "do_resize": true, "resample": 3,
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "rescale_factor": 0.00392156862745098,
        "image_std": [0.26862954, 0.26130258, 0.27577711], "size": {"shortest_edge": 16}}"#;
    assert_eq!(read(clip).unwrap(), Preprocessing::square(16, CLIP));
    let old = r#"{"crop_size": 224, "do_center_crop": true, "size": 256, "resample": 2,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}"#;
    let wanted = Preprocessing {
        fit: Fit::Crop { shortest: 256 },
        filter: Filter::Bilinear,
        ..Preprocessing::square(224, IMAGENET)
    };
    assert_eq!(read(old).unwrap(), wanted);
    let vit = r#"{"do_resize": true, "size": 384, "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5], "resample": 1}"#;
    let wanted = Preprocessing {
        fit: Fit::Stretch,
        filter: Filter::Lanczos,
        ..Preprocessing::square(384, HALF)
    };
    assert_eq!(read(vit).unwrap(), wanted);
    let raw = r#"{"do_resize": false, "do_normalize": false, "do_rescale": false}"#;
    let raw = read(raw).unwrap();
    assert_eq!((raw.fit, raw.factor, raw.scaling.deviation), (Fit::CropOnly, 1.0, [1.0; 3]));
    for bad in [
        "[]",
        "{",
        r#"{"size": 0}"#,
        r#"{"size": {"width": 1e9, "height": 5}}"#,
        r#"{"size": {"longest_edge": 5}}"#,
        r#"{"resample": 9}"#,
        r#"{"image_std": [1, 0, 1]}"#,
        r#"{"image_mean": [1, 2]}"#,
    ] {
        let error = read(bad).unwrap_err();
        assert!(matches!(error, Error::BadPreprocessing { .. }), "{bad}: {error}");
    }
}

#[test]
fn a_picture_of_one_row_has_a_vector_and_one_of_another_shape_too() {
    let encoder = opened("image");
    for (width, height) in [(1, 1), (30_000, 1), (1, 30_000), (16, 16), (17, 16)] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x % 251) as u8, (y % 241) as u8, 90])
        });
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let row = encoder.encode(&Source::Bytes(bytes.into_inner())).unwrap();
        assert_eq!(row.size, Some((width, height)));
        let length: f32 = row.vector.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5, "{width} × {height}");
    }
}

#[test]
fn damaged_models_are_errors_and_no_panics() {
    let folder = std::env::temp_dir().join(format!("limn-encoder-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("model.onnx");
    let whole = std::fs::read(model("text")).unwrap();
    let mut state = 614_u64;
    let mut refused = 0;
    for round in 0..200 {
        let mut bytes = whole.clone();
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize
        };
        match round % 2 {
            0 => bytes.truncate(draw() % whole.len()),
            _ => (0..4).for_each(|_| bytes[draw() % whole.len()] = draw() as u8),
        }
        std::fs::write(&path, bytes).unwrap();
        // Some damage is to a weight, which is as good as any other.
        refused += usize::from(encoder::Model::open(&path, &OpenOptions::default()).is_err());
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(refused >= 100, "{refused}");
}
