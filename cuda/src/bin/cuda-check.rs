//! What a machine with a device is borrowed for: what it computes held against the cores, and how
//! long it takes, one line of JSON a measurement. `cuda-check` alone goes through small shapes,
//! by all algorithms; `cuda-check 1000000x512x64 …` clusters those that are named, rows ×
//! dimensions × clusters; `--without-hopper` takes the kernels that all devices have. Ends with 1
//! where results differ, 2 where there is no device.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use cuda::device::Gpu;
use cuda::kmeans::Fitted;
use cuda::plan::Shape;
use embedding::kmeans::{Clustering, Init, Options, fit};
use embedding::random::Random;
use embedding::rows::Matrix;
use embedding::watch::Unwatched;
use embedding::{knn, metrics, pca, umap};
use serde_json::{Value, json};

const SMALL: [Shape; 5] = [
    Shape { n: 1000, d: 3, k: 7 },
    Shape { n: 50_000, d: 128, k: 64 },
    Shape { n: 50_000, d: 768, k: 64 },
    Shape { n: 20_000, d: 100, k: 1000 },
    Shape { n: 200_000, d: 512, k: 64 },
];
const ITERATIONS: u32 = 10;
const WITHOUT_HOPPER: &str = "--without-hopper";

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_without = words.iter().any(|word| word == WITHOUT_HOPPER);
    words.retain(|word| word != WITHOUT_HOPPER);
    let shapes: Option<Vec<Shape>> = words.iter().map(|word| shape(word)).collect();
    let Some(mut shapes) = shapes else {
        tell(&json!({ "error": "shapes are written rows x dimensions x clusters: 1000x3x7" }));
        return ExitCode::from(2);
    };
    let is_all = shapes.is_empty();
    if is_all {
        shapes = SMALL.to_vec();
    }
    let gpu = match Gpu::find() {
        Ok(gpu) => gpu,
        Err(error) => {
            tell(&json!({ "error": error.to_string() }));
            return ExitCode::from(2);
        }
    };
    if is_without {
        gpu.distrust_hoppers();
    }
    tell(&json!({
        "device": gpu.name,
        "free_bytes": gpu.free().ok(),
        "taken_for": format!("{:?}", gpu.rates),
        "hopper": gpu.has_hoppers(),
    }));
    let mut all_same = true;
    let measures: &[Measure] =
        if is_all { &[measured, neighbours, components, layout] } else { &[measured] };
    for (shape, measure) in
        shapes.iter().flat_map(|shape| measures.iter().map(move |m| (*shape, m)))
    {
        match measure(&gpu, shape) {
            Ok((line, is_same)) => {
                tell(&line);
                all_same &= is_same;
            }
            Err(error) => {
                tell(&json!({ "shape": text(shape), "error": error.to_string() }));
                all_same = false;
            }
        }
    }
    if all_same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A line, and whether the device found what it should.
type Measure = fn(&Gpu, Shape) -> Result<(Value, bool), embedding::Error>;

/// One line; nobody is told where nobody reads.
fn tell(line: &Value) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").is_err() {
        std::process::exit(2);
    }
}

fn shape(word: &str) -> Option<Shape> {
    let numbers: Option<Vec<usize>> = word.split('x').map(|part| part.parse().ok()).collect();
    match numbers?.as_slice() {
        [n, d, k] if *n >= *k && *d > 0 && *k > 0 => Some(Shape { n: *n, d: *d, k: *k }),
        _ => None,
    }
}

fn text(shape: Shape) -> String {
    format!("{}x{}x{}", shape.n, shape.d, shape.k)
}

/// Clouds about twice as many places as there are clusters, so that there is something to decide.
fn rows(shape: Shape) -> Vec<f32> {
    let (places, noise, choice) = (Random::new(1, 0), Random::new(1, 1), Random::new(1, 2));
    let mut values = Vec::with_capacity(shape.n * shape.d);
    for row in 0..shape.n as u64 {
        let place = choice.below(row, 2 * shape.k as u64);
        for t in 0..shape.d as u64 {
            let d = shape.d as u64;
            let value = places.unit(place * d + t) + 2.0 * noise.unit(row * d + t);
            values.push(value as f32);
        }
    }
    values
}

/// A fit by the cores and two of the device, of one iteration and of more, from the same centroids:
/// the difference of the two is what iterations take.
fn measured(gpu: &Gpu, shape: Shape) -> Result<(Value, bool), embedding::Error> {
    let values = rows(shape);
    let matrix = Matrix::new(&values, shape.d)?;
    let first = values.get(..shape.k * shape.d).unwrap_or_default().to_vec();
    let options = |most| Options {
        init: Init::Given(first.clone()),
        max_iterations: most,
        tolerance: 0.0,
        ..Options::new(shape.k, 1)
    };
    let on_device = |most| {
        let began = Instant::now();
        let found = cuda::kmeans::fit(gpu, &matrix, &options(most), &Unwatched)?;
        Ok::<_, embedding::Error>((found, began.elapsed().as_secs_f64()))
    };
    let (_, start) = on_device(1)?;
    let (Fitted { clustering: found, place, unsure, fell_back }, whole) =
        on_device(1 + ITERATIONS)?;
    let began = Instant::now();
    let wanted = fit(&matrix, &options(1 + ITERATIONS), &Unwatched)?;
    let cores = began.elapsed().as_secs_f64();
    let is_same = fell_back.is_none()
        && Clustering { rechecked: wanted.rechecked, ..found.clone() } == wanted;
    let iterations = f64::from(found.iterations.saturating_sub(1).max(1));
    let line = json!({
        "shape": text(shape),
        "same_bits": is_same,
        "fell_back": fell_back,
        "place": format!("{place:?}"),
        "iterations": found.iterations,
        "unsure": unsure,
        "unsure_share": unsure as f64
            / (shape.n as f64 * f64::from(found.iterations + 1)),
        "device_seconds": whole,
        "device_start_seconds": start,
        "device_iteration_seconds": (whole - start) / iterations,
        "cores_seconds": cores,
    });
    Ok((line, is_same))
}

/// What something is, and the seconds that it took.
fn timed<T>(
    run: impl FnOnce() -> Result<T, embedding::Error>,
) -> Result<(T, f64), embedding::Error> {
    let began = Instant::now();
    let made = run()?;
    Ok((made, began.elapsed().as_secs_f64()))
}

const NEIGHBOURS: usize = 14;

fn neighbours(gpu: &Gpu, shape: Shape) -> Result<(Value, bool), embedding::Error> {
    let values = rows(shape);
    let matrix = Matrix::new(&values, shape.d)?;
    let find = || cuda::neighbours::nearest(gpu, &matrix, NEIGHBOURS, None, 1, &Unwatched);
    let (found, device) = timed(find)?;
    let (exact, cores) = timed(|| knn::exact(&matrix, NEIGHBOURS, None, &Unwatched))?;
    let is_same = found.fell_back.is_none() && found.made.neighbours == exact;
    let line = json!({
        "neighbours": text(shape),
        "same_bits": is_same,
        "fell_back": found.fell_back,
        "device_seconds": device,
        "cores_seconds": cores,
    });
    Ok((line, is_same))
}

fn components(gpu: &Gpu, shape: Shape) -> Result<(Value, bool), embedding::Error> {
    let values = rows(shape);
    let matrix = Matrix::new(&values, shape.d)?;
    let (found, device) = timed(|| cuda::pca::fit(gpu, &matrix, 2, None, &Unwatched))?;
    let (wanted, cores) = timed(|| pca::fit(&matrix, 2, None, &Unwatched))?;
    let is_same = found.fell_back.is_none() && found.made == wanted;
    let line = json!({
        "components": text(shape),
        "same_bits": is_same,
        "fell_back": found.fell_back,
        "device_seconds": device,
        "cores_seconds": cores,
    });
    Ok((line, is_same))
}

/// Neighbours found before, by the cores.
fn layout(gpu: &Gpu, shape: Shape) -> Result<(Value, bool), embedding::Error> {
    let values = rows(shape);
    let matrix = Matrix::new(&values, shape.d)?;
    let options = umap::Options::new(2, 1);
    let near = knn::nearest(&matrix, NEIGHBOURS, None, 1, &Unwatched)?;
    let by_device = || cuda::umap::fit_among(gpu, &matrix, &options, near.clone(), &Unwatched);
    let (found, device) = timed(by_device)?;
    let by_cores = || umap::fit_among(&matrix, &options, near.clone(), &Unwatched);
    let (wanted, cores) = timed(by_cores)?;
    let trust = |points: &[f32]| {
        let found = metrics::trustworthiness(&matrix, points, 15, 1, 1, &Unwatched)?;
        Ok::<_, embedding::Error>(found.map_or(1.0, |trust| trust.value))
    };
    let (own, of_cores) = (trust(&found.made.points)?, trust(&wanted.points)?);
    let is_as_good = found.fell_back.is_none() && own > of_cores - 0.005;
    let line = json!({
        "layout": text(shape),
        "as_good": is_as_good,
        "trustworthiness": [own, of_cores],
        "fell_back": found.fell_back,
        "device_seconds": device,
        "cores_seconds": cores,
    });
    Ok((line, is_as_good))
}
