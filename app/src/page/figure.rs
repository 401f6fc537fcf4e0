//! Saving a view as a file. Histograms and bars are drawn from their numbers at once; the
//! points of a scatter are asked of the worker first.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement,
    HtmlImageElement, Url,
};

use super::address_bar;
use super::parts::{SplitLoaderError, wasm_split};
use super::signals::Page;
use super::ui::{axes_of, with_chart};
use crate::draw::Theme;
use crate::protocol::relief::Relief;
use crate::protocol::{Legend, Level, Mark, MarkResult, Request, ViewId, Viewport};
use crate::scale::Linear;
use crate::state::command::PictureForm;
use crate::state::describe;
use crate::state::figure::{Body, Figure, Over, Side, file_name, keys_of, svg};
use crate::state::labels::{moved, placed};
use crate::state::position::Scalar;
use crate::state::shape::{self, Scale};
use crate::state::ticks::{X_APART, log_ticks, ticks};
use crate::texts;

/// Of the area within the axes, in CSS pixels.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 480.0;
const HISTOGRAM_HEIGHT: f64 = 280.0;
/// A file that is being saved is kept for this long.
const KEPT_MILLIS: u64 = 60_000;
/// Device pixels of a PNG to a CSS pixel.
const FINENESS: f64 = 2.0;

#[wasm_split(figure, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn save_picture(
    page: Page,
    view: ViewId,
    form_of_file: PictureForm,
) -> Result<(), SplitLoaderError> {
    save_view(page, view, form_of_file);
    Ok(())
}

fn save_view(page: Page, view: ViewId, form_of_file: PictureForm) {
    let mark = page.model.with_untracked(|model| model.chosen.view(view).map(|v| v.mark.clone()));
    let result = page.results.with_untracked(|results| results.get(&view).cloned());
    let (Some(mark), Some(result)) = (mark, result) else { return };
    match (&mark, result.as_ref()) {
        (Mark::Scatter { .. }, MarkResult::Scatter { .. }) => {
            page.picture_wanted.set_value(Some((view, form_of_file)));
            let [width, height] = scatter_size(view);
            page.link.send(&Request::Picture { view, width, height });
        }
        (
            Mark::Histogram { column, form, .. },
            MarkResult::Histogram { domain, edges, counts, unfiltered, .. },
        ) => {
            let scalar = untrack(|| page.scalar(column)).unwrap_or(Scalar::Float);
            let scale = Scale { domain: *domain, width: WIDTH, log: form.log_axis };
            let x = match form.log_axis {
                true => {
                    let marks = log_ticks(*domain, WIDTH, X_APART).into_iter();
                    let marks = marks.map(|(value, label)| (scale.position(value), label));
                    Side { label: column.clone(), marks: marks.collect() }
                }
                false => side(column.clone(), *domain, scalar, [0.0, WIDTH], X_APART),
            };
            let tallest = unfiltered.iter().chain(counts).copied().max().unwrap_or(0);
            let high = HISTOGRAM_HEIGHT;
            let places = shape::places(edges, *domain, counts.len(), WIDTH, form.log_axis);
            let outlines = [counts, unfiltered].map(|counts| {
                shape::path(&shape::heights(counts, tallest, *form), &places, high, high)
            });
            let marks = shape::marks(tallest, *form).into_iter();
            let marks = marks.map(|(height, label)| (high - height * high, label)).collect();
            let label = match form.cumulative {
                true => texts::figure::SHARE_BELOW,
                false => texts::figure::ROWS,
            };
            let label = label.to_owned();
            let body = Body::Histogram { outlines, x, y: Side { label, marks } };
            save(page, &mark, body, [WIDTH, high], form_of_file);
        }
        (Mark::Bars { column, .. }, MarkResult::Bars { bars, .. }) => {
            let bars = bars.iter().map(|bar| (bar.label.clone(), bar.count, bar.unfiltered));
            let body = Body::Bars { bars: bars.collect(), column: column.clone() };
            save(page, &mark, body, [WIDTH, HEIGHT], form_of_file);
        }
        (mark, MarkResult::Grid(grid)) => {
            let size = (WIDTH, HEIGHT * 0.8);
            let body = untrack(|| {
                with_chart(page, mark, grid, Theme::Light, |chart| chart.draw(size).markup)
            });
            save(page, mark, Body::Chart { markup: body }, size.into(), form_of_file);
        }
        _ => page.notify(Level::Warning, texts::figure::NOTHING_TO_SAVE),
    }
}

/// The worker's picture is here.
#[wasm_split(figure, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn take_points(
    page: Page,
    view: ViewId,
    picture: Result<String, String>,
    over: (Legend, Option<Relief>),
) -> Result<(), SplitLoaderError> {
    save_scatter(page, view, picture, over);
    Ok(())
}

fn save_scatter(
    page: Page,
    view: ViewId,
    picture: Result<String, String>,
    (legend, relief): (Legend, Option<Relief>),
) {
    let wanted = page.picture_wanted.try_update_value(Option::take).flatten();
    let Some((_, form)) = wanted.filter(|(wanted, _)| *wanted == view) else { return };
    let picture = match picture {
        Ok(picture) => picture,
        Err(error) => {
            return page.notify(Level::Error, texts::figure::not_made(&error));
        }
    };
    let mark = page.model.with_untracked(|model| model.chosen.view(view).map(|v| v.mark.clone()));
    let Some(viewport) = untrack(|| page.viewport(view)) else { return };
    let Some(mark @ Mark::Scatter { .. }) = mark else { return };
    let Mark::Scatter { color, varied, .. } = &mark else { return };
    let keys = page
        .results
        .with_untracked(|results| keys_of(results.get(&view).map(|result| &**result), varied));
    let [width, height] = scatter_size(view);
    let Some([x, y]) = axes_of(page, view, [width, height]) else { return };
    let names = page.model.with_untracked(|model| model.chosen.names.clone());
    let column = color.as_deref().unwrap_or_default();
    let legend = names.legend(column, legend);
    let relief = relief.map(|relief| names.relief(column, relief));
    let body = Body::Scatter {
        picture,
        x,
        y,
        colored_by: color.clone(),
        legend,
        keys,
        over: relief.map(|relief| Box::new(over(relief, viewport, [width, height]))),
    };
    save(page, &mark, body, [width, height], form);
}

/// Lines and names over the points.
fn over(relief: Relief, viewport: Viewport, size: [f64; 2]) -> Over {
    let [x, y] = moved(&relief, viewport, size);
    let names = relief
        .labels
        .iter()
        .map(|label| (label.text.as_str(), label.x * x[0] + x[1], label.y * y[0] + y[1]));
    Over {
        names: placed(names, size).into_iter().map(|name| (name.text, name.x, name.y)).collect(),
        transform: [x[0], y[0], x[1], y[1]],
        contours: relief.contours.into_iter().map(|contour| contour.path).collect(),
        counts: relief.density,
    }
}

/// As wide as a figure, and of the proportions that are on screen.
fn scatter_size(view: ViewId) -> [f64; 2] {
    let canvas = document().query_selector(&format!("[data-view=\"{}\"] canvas", view.0)).ok();
    let shown = canvas.flatten().map(|canvas| canvas.get_bounding_client_rect());
    let shape = shown.filter(|shown| shown.width() > 0.0 && shown.height() > 0.0);
    let share = shape.map_or(HEIGHT / WIDTH, |shown| shown.height() / shown.width());
    [WIDTH, (WIDTH * share.clamp(0.3, 1.5)).round()]
}

fn side(label: String, domain: [f64; 2], scalar: Scalar, range: [f64; 2], apart: f64) -> Side {
    let pixels = Linear::new(domain, range);
    let marks = ticks(domain, scalar, (range[1] - range[0]).abs(), apart);
    let marks = marks.into_iter().map(|(value, label)| (pixels.position(value), label));
    Side { label, marks: marks.collect() }
}

fn save(page: Page, mark: &Mark, body: Body, [width, height]: [f64; 2], form: PictureForm) {
    let title = describe::mark(mark);
    let table = page.model.with_untracked(|model| model.chosen.table.clone()).unwrap_or_default();
    let link = address_bar::link(page);
    let figure = Figure { title, caption: caption(page, &table), link, width, height, body };
    let text = svg(&figure);
    let name = file_name(&table, &figure.title, form.ending());
    spawn_local(async move {
        let saved = match form {
            PictureForm::Svg => {
                blob_of(&text, "image/svg+xml").and_then(|blob| download_blob(&blob, &name))
            }
            PictureForm::Png => match png(&text).await {
                Ok(blob) => download_blob(&blob, &name),
                Err(error) => Err(error),
            },
        };
        match saved {
            Ok(()) => page.notify(Level::Info, texts::figure::saved(&name)),
            Err(error) => {
                let error =
                    error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
                let error = error.unwrap_or_else(|| texts::figure::BROWSER_REFUSED.to_owned());
                page.notify(Level::Error, texts::figure::not_saved(&error));
            }
        }
    });
}

/// Which rows of what: enough to find them again.
fn caption(page: Page, table: &str) -> String {
    let (version, filters) = page.model.with_untracked(|model| {
        let filters = model.chosen.clauses.iter().map(|clause| {
            format!("{} {}", describe::subject(clause), describe::predicate(&clause.predicate))
        });
        (Page::version_words(model.chosen.version.as_ref()), filters.collect::<Vec<_>>())
    });
    let counts = page.shown.with_untracked(|shown| {
        shown.as_ref().map(|shown| match shown.selected == shown.total {
            true => texts::counts::rows(shown.total),
            false => texts::counts::rows_of(shown.selected, shown.total),
        })
    });
    let parts = [Some(table.to_owned()), version, counts].into_iter().flatten().chain(filters);
    parts.collect::<Vec<_>>().join(" · ")
}

fn blob_of(text: &str, kind: &str) -> Result<Blob, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    Blob::new_with_str_sequence_and_options(&js_sys::Array::of1(&text.into()), &options)
}

/// The browser itself draws the document.
async fn png(text: &str) -> Result<Blob, JsValue> {
    let address = Url::create_object_url_with_blob(&blob_of(text, "image/svg+xml")?)?;
    let image = HtmlImageElement::new()?;
    image.set_src(&address);
    let decoded = JsFuture::from(image.decode()).await;
    Url::revoke_object_url(&address)?;
    decoded?;
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
    canvas.set_width((width * FINENESS) as u32);
    canvas.set_height((height * FINENESS) as u32);
    let refused = || JsValue::from(js_sys::Error::new(texts::figure::NO_CANVAS));
    let context = canvas.get_context("2d")?.ok_or_else(refused)?;
    let context: CanvasRenderingContext2d = context.dyn_into()?;
    context.draw_image_with_html_image_element_and_dw_and_dh(
        &image,
        0.0,
        0.0,
        width * FINENESS,
        height * FINENESS,
    )?;
    let promise = js_sys::Promise::new(&mut |done, _| drop(canvas.to_blob(&done)));
    JsFuture::from(promise).await?.dyn_into().map_err(|_| refused())
}

fn download_blob(blob: &Blob, name: &str) -> Result<(), JsValue> {
    let address = Url::create_object_url_with_blob(blob)?;
    download(&address, name)?;
    // The download has begun by then.
    let revoke = move || drop(Url::revoke_object_url(&address));
    set_timeout(revoke, Duration::from_millis(KEPT_MILLIS));
    Ok(())
}

/// Has the browser keep what is at an address as a file; by no name, by the one that its answer says.
pub(super) fn download(address: &str, name: &str) -> Result<(), JsValue> {
    let anchor: HtmlAnchorElement = document().create_element("a")?.dyn_into()?;
    anchor.set_href(address);
    anchor.set_download(name);
    anchor.click();
    Ok(())
}
