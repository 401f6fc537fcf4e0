//! A view as a picture to keep: an SVG document with title, axes, units and legend on white
//! ground, whatever the page looks like. Lengths are CSS pixels.

mod legend;

use std::fmt::Write as _;

use crate::protocol::Legend;
use crate::protocol::relief::Counts;
use crate::state::chart::FIGURE_STYLE;
use crate::state::format;
use crate::texts;
pub use legend::{Key, keys_of};
use legend::{gradient, keys_under, legend_of};

const LEFT: f64 = 68.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
const BELOW: f64 = 52.0;
const LEGEND_WIDTH: f64 = 168.0;
const LEGEND_LINE: f64 = 18.0;
const BAR_LINE: f64 = 24.0;
/// Pixels that a letter of the captions takes, about.
const LETTER: f64 = 6.2;

const TEXT: &str = "#11212a";
const QUIET: &str = "#55686f";
const LINE: &str = "#b9c6cc";
const FRONT: &str = "#2a8d99";
const GHOST: &str = "#dde5e8";

#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub title: String,
    /// Of which table and version, and which rows of how many.
    pub caption: String,
    /// Where the same can be seen again.
    pub link: String,
    /// Of the area within the axes.
    pub width: f64,
    pub height: f64,
    pub body: Body,
}

/// An axis: what it is of, and its marks, in pixels along it.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    pub label: String,
    pub marks: Vec<(f64, String)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A picture of points as a `data:` address.
    Scatter {
        picture: String,
        x: Side,
        y: Side,
        colored_by: Option<String>,
        legend: Legend,
        /// The sizes and the shapes, each under its name.
        keys: Vec<(String, Vec<Key>)>,
        over: Option<Box<Over>>,
    },
    /// The outline of what passes in front of that of all rows, and the marks beside it.
    Histogram { outlines: [String; 2], x: Side, y: Side },
    /// A chart with its own axes.
    Chart { markup: String },
    /// Label, rows that pass, all rows; longest first.
    Bars { bars: Vec<(String, u64, u64)>, column: String },
}

/// What lies over the points of a scatter.
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    /// Of the contours: factors across and down, then offsets.
    pub transform: [f64; 4],
    pub contours: Vec<String>,
    /// Names and where their middles are.
    pub names: Vec<(String, f64, f64)>,
    pub counts: Option<Counts>,
}

/// The whole document.
pub fn svg(figure: &Figure) -> String {
    let height = match &figure.body {
        Body::Bars { bars, .. } => bars.len() as f64 * BAR_LINE,
        _ => figure.height,
    };
    let has_legend = match &figure.body {
        Body::Scatter { legend, over, keys, .. } => {
            !keys.is_empty()
                || *legend != Legend::None
                || over.as_ref().is_some_and(|over| over.counts.is_some())
        }
        _ => false,
    };
    let legend_width = if has_legend { LEGEND_WIDTH } else { 0.0 };
    let left = LEFT.max(beside_width(&figure.body) + 26.0);
    let (width, whole) = (left + figure.width + RIGHT + legend_width, TOP + height + BELOW);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{whole}\" \
         viewBox=\"0 0 {width} {whole}\" font-family=\"system-ui, 'Liberation Sans', sans-serif\" \
         font-size=\"12\" fill=\"{TEXT}\">"
    );
    let letters = ((width - left) / LETTER) as usize;
    add(&mut out, format_args!("<title>{}</title>", escaped(&figure.title)));
    add(&mut out, format_args!("<desc>{}</desc>", escaped(&figure.link)));
    add(&mut out, format_args!("<rect width=\"{width}\" height=\"{whole}\" fill=\"#fff\"/>"));
    let title = escaped(&clipped(&figure.title, letters * 3 / 4));
    let caption = escaped(&clipped(&figure.caption, letters));
    add(
        &mut out,
        format_args!(
            "<text x=\"{left}\" y=\"24\" font-size=\"15\" font-weight=\"600\">{title}</text>"
        ),
    );
    add(
        &mut out,
        format_args!(
            "<text x=\"{left}\" y=\"42\" font-size=\"11\" fill=\"{QUIET}\">{caption}</text>"
        ),
    );
    add(&mut out, format_args!("<g transform=\"translate({left} {TOP})\">"));
    match &figure.body {
        Body::Scatter { picture, x, y, colored_by, legend, keys, over } => {
            let size = [figure.width, figure.height];
            scatter(&mut out, picture, [x, y], over.as_deref(), size);
            let at = figure.width + RIGHT;
            let lines: usize = keys.iter().map(|(_, keys)| keys.len() + 1).sum();
            let room = height - lines as f64 * LEGEND_LINE;
            legend_of(&mut out, colored_by.as_deref().unwrap_or_default(), legend, at, room);
            keys_under(&mut out, keys, [at, room.max(LEGEND_LINE)]);
        }
        Body::Histogram { outlines, x, y } => {
            for (d, color) in outlines.iter().rev().zip([GHOST, FRONT]) {
                add(&mut out, format_args!("<path d=\"{d}\" fill=\"{color}\"/>"));
            }
            beside(&mut out, y, height);
            below(&mut out, x, figure.width, height);
        }
        Body::Chart { markup } => {
            add(
                &mut out,
                format_args!("<style>{FIGURE_STYLE}</style><g class=\"chart\">{markup}</g>"),
            );
        }
        Body::Bars { bars, column } => rows(&mut out, bars, column, figure.width, height),
    }
    out.push_str("</g></svg>\n");
    out
}

fn scatter(
    out: &mut String,
    picture: &str,
    [x, y]: [&Side; 2],
    over: Option<&Over>,
    [width, height]: [f64; 2],
) {
    let picture = escaped(picture);
    add(out, format_args!("<image width=\"{width}\" height=\"{height}\" href=\"{picture}\"/>"));
    if let Some(over) = over {
        lay_over(out, over, [width, height]);
    }
    beside(out, y, height);
    below(out, x, width, height);
    if let Some(counts) = over.and_then(|over| over.counts.as_ref()) {
        counts_of(out, counts, width + RIGHT, height - 48.0);
    }
}

fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(text);
}

fn below(out: &mut String, side: &Side, width: f64, height: f64) {
    add(out, format_args!("<path d=\"M0 {height}H{width}\" stroke=\"{LINE}\"/>"));
    for (x, label) in &side.marks {
        let y = height + 18.0;
        add(out, format_args!("<path d=\"M{x:.1} {height}v5\" stroke=\"{LINE}\"/>"));
        add(
            out,
            format_args!(
                "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"11\">{}</text>",
                escaped(label)
            ),
        );
    }
    let (x, y) = (width / 2.0, height + 38.0);
    add(
        out,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"{QUIET}\">{}</text>",
            escaped(&side.label)
        ),
    );
}

/// Of the labels beside a picture.
fn width_of(side: &Side) -> f64 {
    let letters = side.marks.iter().map(|(_, label)| label.chars().count()).max();
    letters.unwrap_or(0) as f64 * LETTER + 8.0
}

fn beside_width(body: &Body) -> f64 {
    if let Body::Scatter { y, .. } = body { width_of(y) } else { 0.0 }
}

fn beside(out: &mut String, side: &Side, height: f64) {
    add(out, format_args!("<path d=\"M0 0V{height}\" stroke=\"{LINE}\"/>"));
    for (y, label) in &side.marks {
        add(out, format_args!("<path d=\"M-5 {y:.1}H0\" stroke=\"{LINE}\"/>"));
        add(
            out,
            format_args!(
                "<text x=\"-8\" y=\"{y:.1}\" dy=\".35em\" text-anchor=\"end\" font-size=\"11\">{}</text>",
                escaped(label)
            ),
        );
    }
    let (at, middle) = (-(width_of(side) + 10.0).max(52.0), height / 2.0);
    add(
        out,
        format_args!(
            "<text transform=\"translate({at} {middle}) rotate(-90)\" text-anchor=\"middle\" fill=\"{QUIET}\">{}</text>",
            escaped(&side.label)
        ),
    );
}

fn rows(out: &mut String, bars: &[(String, u64, u64)], column: &str, width: f64, height: f64) {
    let label_width = width * 0.3;
    let longest = bars.iter().map(|(_, count, all)| *count.max(all)).max().unwrap_or(1).max(1);
    let room = width - label_width - 64.0;
    for (at, (label, count, all)) in bars.iter().enumerate() {
        let y = at as f64 * BAR_LINE;
        let text = escaped(&clipped(label, (label_width / LETTER) as usize));
        let middle = y + BAR_LINE / 2.0;
        add(
            out,
            format_args!(
                "<text x=\"{}\" y=\"{middle}\" dy=\".35em\" text-anchor=\"end\">{text}</text>",
                label_width - 8.0
            ),
        );
        for (rows, color) in [(all, GHOST), (count, FRONT)] {
            let long = *rows as f64 / longest as f64 * room;
            add(
                out,
                format_args!(
                    "<rect x=\"{label_width}\" y=\"{}\" width=\"{long:.2}\" height=\"{}\" fill=\"{color}\"/>",
                    y + 3.0,
                    BAR_LINE - 6.0
                ),
            );
        }
        let x = label_width + *(count.max(all)) as f64 / longest as f64 * room + 6.0;
        add(
            out,
            format_args!(
                "<text x=\"{x:.1}\" y=\"{middle}\" dy=\".35em\" font-size=\"11\" fill=\"{QUIET}\">{}</text>",
                format::count(*count)
            ),
        );
    }
    let (x, y) = (label_width + room / 2.0, height + 28.0);
    add(
        out,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"{QUIET}\">{}</text>",
            escaped(&texts::figure::rows_by(column))
        ),
    );
}

/// What a density's colours mean.
fn counts_of(out: &mut String, counts: &Counts, x: f64, y: f64) {
    let head = match counts.cell {
        Some(_) => texts::figure::POINTS_PER_CELL,
        None => texts::scatter::POINTS_PER_BIN,
    };
    let words = [1, counts.middle, counts.most].map(|count| format::short_count(count.into()));
    let grey = ["#dde5e8", "#b9c6cc", "#8b9ba4", "#55686f"].map(str::to_owned);
    let colors = if counts.colors.is_empty() { &grey[..] } else { &counts.colors };
    gradient(out, head, colors, &words, [x, y]);
}

/// Contours and names, clipped to the picture.
fn lay_over(out: &mut String, over: &Over, [width, height]: [f64; 2]) {
    let [a, d, e, f] = over.transform;
    add(
        out,
        format_args!(
            "<svg width=\"{width}\" height=\"{height}\"><g transform=\"matrix({a} 0 0 {d} {e} {f})\" \
             fill=\"none\" stroke=\"{TEXT}\" stroke-opacity=\"0.55\">"
        ),
    );
    for path in &over.contours {
        add(
            out,
            format_args!("<path vector-effect=\"non-scaling-stroke\" d=\"{}\"/>", escaped(path)),
        );
    }
    out.push_str("</g>");
    for (name, x, y) in &over.names {
        add(
            out,
            format_args!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" dy=\".35em\" text-anchor=\"middle\" font-weight=\"600\" \
                 paint-order=\"stroke\" stroke=\"#fff\" stroke-width=\"3\" stroke-linejoin=\"round\">{}</text>",
                escaped(name)
            ),
        );
    }
    out.push_str("</svg>");
}

pub fn clipped(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters.max(1)) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Text of a table in XML: nothing of it is markup, and what XML has no sign for is left out.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            sign => out.push(sign),
        }
    }
    out
}

/// A name for the file: nothing in it that any system refuses.
pub fn file_name(table: &str, title: &str, ending: &str) -> String {
    let plain = |text: &str| {
        let signs =
            text.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' });
        signs.collect::<String>().trim_matches(['-', '.']).to_owned()
    };
    let name = [plain(table), plain(title)].join("-");
    let short: String = name.chars().take(80).collect();
    format!("{}.{ending}", short.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{self, LegendEntry, MarkResult, Sizes, Varied};

    fn side(label: &str) -> Side {
        Side { label: label.to_owned(), marks: vec![(0.0, "0".to_owned()), (50.0, "5".to_owned())] }
    }

    fn figure(title: &str, body: Body) -> Figure {
        Figure {
            title: title.to_owned(),
            caption: "flights".to_owned(),
            link: "http://here/?a=1&b=2".to_owned(),
            width: 300.0,
            height: 200.0,
            body,
        }
    }

    #[test]
    fn text_of_a_table_is_never_markup() {
        let entries = (0..40).map(|nth| LegendEntry {
            label: format!("<script>{nth}"),
            color: "#123456".to_owned(),
            count: 5,
            value: None,
        });
        let body = Body::Scatter {
            keys: Vec::new(),
            picture: "data:image/png;base64,AAAA".to_owned(),
            x: side("a < b & \"c\""),
            y: side("y"),
            colored_by: Some("]]>".to_owned()),
            over: None,
            legend: Legend::Categories { entries: entries.collect() },
        };
        let text = svg(&figure("</svg><script>\u{1}", body));
        assert!(!text.contains("<script") && text.matches("</svg>").count() == 1, "{text}");
        assert!(text.contains("a &lt; b &amp; &quot;c&quot;") && text.contains("?a=1&amp;b=2"));
        assert!(text.contains("and 31 more"), "{text}");
        assert!(!text.contains('\u{1}'));
    }

    #[test]
    fn what_lies_over_points_is_in_the_figure() {
        let missing = vec![LegendEntry {
            label: "not a number".to_owned(),
            color: "#e0245e".to_owned(),
            count: 3,
            value: None,
        }];
        let legend = Legend::Ramp {
            domain: [1.0, 100.0],
            middle: Some(10.0),
            time: false,
            colors: vec!["#000000".to_owned(), "#ffffff".to_owned()],
            beyond: [0, 1234],
            missing,
        };
        let counts = Counts { most: 99, middle: 10, cell: Some(2.0), colors: Vec::new() };
        let over = Over {
            transform: [0.5, 2.0, 3.0, 4.0],
            contours: vec!["M1 2L3 4".to_owned()],
            names: vec![("A & B".to_owned(), 20.0, 30.0)],
            counts: Some(counts),
        };
        let body = Body::Scatter {
            keys: Vec::new(),
            picture: String::new(),
            x: side("x"),
            y: side("y"),
            colored_by: Some("z".to_owned()),
            over: Some(Box::new(over)),
            legend,
        };
        let text = svg(&figure("t", body));
        for part in [
            "matrix(0.5 0 0 2 3 4)",
            "d=\"M1 2L3 4\"",
            ">A &amp; B</text>",
            ">1,234 above</text>",
            ">3 not a number</text>",
            "points per cell",
            ">99</text>",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("below"), "nothing is");
    }

    #[test]
    fn sizes_and_shapes_have_their_legends_in_a_figure() {
        let names = protocol::Side::Names { values: vec!["a<b".into(), "c".into()], other: true };
        let result = MarkResult::Scatter {
            x_extent: [0.0, 1.0],
            y_extent: [0.0, 1.0],
            names: Box::new([protocol::Side::One, protocol::Side::One]),
            points: 1,
            without_log: 0,
            legend: Legend::None,
            sizes: Some(Sizes { domain: [10.0, 20.0], has_missing: true }),
            shapes: Box::new(names),
            density: false,
        };
        let varied = Varied { size: Some("weight".into()), shape: Some("kind".into()) };
        let keys = keys_of(Some(&result), &varied);
        let words: Vec<_> = keys.iter().flat_map(|(_, keys)| keys).map(|key| &*key.words).collect();
        let expected = ["≤ 10 or no value", "15", "≥ 20", "a<b", "c", "other, no value"];
        assert_eq!(words, expected);
        assert!(keys[1].1[2].is_hollow && !keys[1].1[0].is_hollow);
        let body = Body::Scatter {
            keys,
            picture: "data:,".to_owned(),
            x: side("x"),
            y: side("y"),
            colored_by: None,
            legend: Legend::None,
            over: None,
        };
        let text = svg(&figure("t", body));
        for part in ["Size: weight", "Shape: kind", "a&lt;b", "≥ 20"] {
            assert!(text.contains(part), "{part}");
        }
        assert_eq!(text.matches("<path transform").count(), 6);
        assert_eq!(keys_of(Some(&result), &Varied::default()), []);
    }

    #[test]
    fn bars_are_as_long_as_their_counts() {
        let bars = vec![("x".to_owned(), 50, 100), ("y".to_owned(), 0, 25)];
        let text = svg(&figure("t", Body::Bars { bars, column: "c".to_owned() }));
        let room = 300.0 - 90.0 - 64.0;
        for share in [1.0, 0.5, 0.25, 0.0] {
            assert!(text.contains(&format!("width=\"{:.2}\"", room * share)), "{share} {text}");
        }
        let outlines = ["M0 1h2z".to_owned(), "M0 3h4z".to_owned()];
        let histogram = Body::Histogram { outlines, x: side("x"), y: side("rows") };
        let text = svg(&figure("t", histogram));
        let (behind, before) = (text.find("M0 3h4z"), text.find("M0 1h2z"));
        assert!(behind.is_some() && behind < before, "{text}");
        // Nothing at all is a picture too.
        svg(&figure("", Body::Bars { bars: vec![], column: String::new() }));
    }

    #[test]
    fn files_have_names_that_every_system_takes() {
        assert_eq!(file_name("sales/2024", "delay by dist", "svg"), "sales-2024-delay-by-dist.svg");
        assert_eq!(file_name("..", "a:b", "png"), "a-b.png");
    }
}
