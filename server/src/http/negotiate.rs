//! Which format and which encoding a request asks for: `?format=` and `?compression=`, else
//! `Accept` and `Accept-Encoding` with their q-values.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

use super::problem::Problem;
use crate::query::encode::compress::ContentEncoding;
use crate::query::encode::{AnswerFormat, BodyCompression, Representation};

/// The representation that a request asks for; `default` where it takes anything.
pub fn representation(
    format: Option<&str>,
    compression: Option<&str>,
    headers: &HeaderMap,
    default: AnswerFormat,
) -> Result<Representation, Problem> {
    let bad = |field: &str, detail: String| {
        Problem::bad_request("format", "Unknown format", detail).with_field(field)
    };
    let format = match format {
        Some(name) => name.parse().map_err(|detail| bad("format", detail))?,
        None => accepted_format(headers, default)?,
    };
    let compression = match compression {
        None => BodyCompression::Default,
        Some(_) if format.is_text() => {
            let detail = format!("{format} has no compression of its own; send Accept-Encoding");
            return Err(bad("compression", detail));
        }
        Some(name) => name.parse().map_err(|detail| bad("compression", detail))?,
    };
    let encoding = match format.is_text() {
        true => accepted_encoding(headers),
        false => ContentEncoding::Identity,
    };
    Ok(Representation { format, compression, encoding })
}

/// The media types of a format, and the format itself; the first of each is what it is sent as.
const MEDIA_TYPES: [(&str, AnswerFormat); 11] = [
    ("application/vnd.apache.arrow.stream", AnswerFormat::ArrowStream),
    ("application/vnd.apache.arrow.file", AnswerFormat::ArrowFile),
    ("application/vnd.apache.parquet", AnswerFormat::Parquet),
    ("application/x-parquet", AnswerFormat::Parquet),
    ("text/csv", AnswerFormat::Csv),
    ("application/csv", AnswerFormat::Csv),
    ("application/json", AnswerFormat::Json),
    ("text/json", AnswerFormat::Json),
    ("application/x-ndjson", AnswerFormat::Ndjson),
    ("application/ndjson", AnswerFormat::Ndjson),
    ("application/jsonl", AnswerFormat::Ndjson),
];

fn accepted_format(headers: &HeaderMap, default: AnswerFormat) -> Result<AnswerFormat, Problem> {
    let ranges = weighted(headers, &ACCEPT);
    if ranges.is_empty() {
        return Ok(default);
    }
    // The default comes first, so that it wins among equals.
    let candidates = MEDIA_TYPES.iter().filter(|(_, format)| *format == default);
    let candidates = candidates.chain(MEDIA_TYPES.iter().filter(|(_, format)| *format != default));
    let mut best: Option<((u16, usize), AnswerFormat)> = None;
    for (media_type, format) in candidates {
        // The most specific range that fits decides a type's weight.
        let fitting = ranges.iter().filter_map(|(range, weight)| {
            specificity(range, media_type).map(|specific| (specific, *weight))
        });
        let Some((specific, weight)) = fitting.max() else { continue };
        if weight > 0 && best.as_ref().is_none_or(|(rank, _)| (weight, specific) > *rank) {
            best = Some(((weight, specific), *format));
        }
    }
    best.map(|(_, format)| format).ok_or_else(|| {
        let offered = AnswerFormat::ALL.map(AnswerFormat::media_type).join(", ");
        let detail = format!("none of the accepted types is offered; offered are {offered}");
        Problem::new(http::StatusCode::NOT_ACCEPTABLE, "not-acceptable", "Not acceptable", detail)
    })
}

/// How exactly a media range names a type: 2 by name, 1 by its half, 0 by `*/*`.
fn specificity(range: &str, media_type: &str) -> Option<usize> {
    if range == media_type {
        return Some(2);
    }
    let (kind, rest) = range.split_once('/')?;
    match (kind, rest) {
        ("*", "*") => Some(0),
        (kind, "*") => media_type.split_once('/').filter(|(own, _)| *own == kind).map(|_| 1),
        _ => None,
    }
}

/// The best encoding that is accepted; brotli before gzip among equals.
pub fn accepted_encoding(headers: &HeaderMap) -> ContentEncoding {
    let codings = weighted(headers, &ACCEPT_ENCODING);
    let weight = |name: &str| {
        let named = codings.iter().find(|(coding, _)| coding == name);
        named.or_else(|| codings.iter().find(|(coding, _)| coding == "*")).map_or(0, |(_, w)| *w)
    };
    let (brotli, gzip) = (weight("br"), weight("gzip").max(weight("x-gzip")));
    let identity = codings.iter().find(|(coding, _)| coding == "identity").map_or(1, |(_, w)| *w);
    match brotli.max(gzip) {
        0 => ContentEncoding::Identity,
        best if best < identity => ContentEncoding::Identity,
        best if best == brotli => ContentEncoding::Brotli,
        _ => ContentEncoding::Gzip,
    }
}

/// The items of a header with their weights in thousandths, parameters left out.
fn weighted(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, u16)> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let items = values.flat_map(|value| value.split(','));
    items
        .filter_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            let weight = weight.map_or(Some(1.0), |text| text.trim().parse::<f64>().ok())?;
            Some((name, (weight.clamp(0.0, 1.0) * 1000.0).round() as u16))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_heaviest_and_then_the_most_specific_type_wins() {
        for (accept, expected) in [
            ("*/*", Some(AnswerFormat::ArrowStream)),
            ("text/html, */*;q=0.8", Some(AnswerFormat::ArrowStream)),
            ("text/csv", Some(AnswerFormat::Csv)),
            ("text/*", Some(AnswerFormat::Csv)),
            ("application/json", Some(AnswerFormat::Json)),
            ("application/json, */*", Some(AnswerFormat::Json)),
            ("application/json;q=0.2, text/csv;q=0.9", Some(AnswerFormat::Csv)),
            ("application/*;q=0.5, application/vnd.apache.parquet", Some(AnswerFormat::Parquet)),
            ("*/*, application/vnd.apache.arrow.stream;q=0", Some(AnswerFormat::ArrowFile)),
            ("Application/X-NDJSON", Some(AnswerFormat::Ndjson)),
            ("image/png", None),
            ("text/csv;q=0", None),
        ] {
            let found = accepted_format(&headers(ACCEPT, accept), AnswerFormat::ArrowStream);
            assert_eq!(found.ok(), expected, "{accept}");
        }
    }

    #[test]
    fn encodings_follow_their_weights() {
        for (accept, expected) in [
            ("", ContentEncoding::Identity),
            ("identity", ContentEncoding::Identity),
            ("gzip, deflate, br, zstd", ContentEncoding::Brotli),
            ("gzip", ContentEncoding::Gzip),
            ("br;q=0.5, gzip;q=0.8, identity;q=0.1", ContentEncoding::Gzip),
            ("identity;q=1, gzip;q=0.5", ContentEncoding::Identity),
            ("br;q=0, *", ContentEncoding::Gzip),
            ("gzip;q=0", ContentEncoding::Identity),
        ] {
            assert_eq!(accepted_encoding(&headers(ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
    }
}
