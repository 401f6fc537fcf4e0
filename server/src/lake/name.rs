//! Table names: paths in a lake without the extension. Checks the ones that come from outside.

use object_store::path::{Path, PathPart};

use super::error::LakeError;

/// Longest name that is looked up; object stores and file systems stop near here too.
const BYTES_MAX: usize = 1024;

/// The path that a name from outside stands for, or why it can stand for none.
///
/// Names reach a file system, so the check allows only what [`super::discover`] could have
/// listed: relative, no empty or dot segments, nothing hidden, no control characters.
/// A `%` is refused before hexadecimal digits, where a second decoding could turn it into `/`.
pub fn check(name: &str) -> Result<Path, LakeError> {
    let refuse = |reason| Err(LakeError::Name { name: name.chars().take(200).collect(), reason });
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.len() > BYTES_MAX {
        return refuse("it is too long");
    }
    if name.starts_with('/') {
        return refuse("it is an absolute path");
    }
    if name.chars().any(char::is_control) {
        return refuse("it has control characters");
    }
    if name.contains('\\') {
        return refuse("it has a backslash");
    }
    if name.contains("://") {
        return refuse("it is a URI");
    }
    if has_percent_escape(name) {
        return refuse("it has a percent escape");
    }
    for segment in name.split('/') {
        match segment {
            "" => return refuse("it has an empty segment"),
            "." | ".." => return refuse("it has a dot segment"),
            hidden if hidden.starts_with(['.', '_']) => {
                return refuse("names that start with . or _ are hidden");
            }
            _ => {}
        }
    }
    Path::parse(name).or(refuse("it is not a path"))
}

/// The path of an entry of a folder, its name taken as it is: joining a text would encode it.
pub(super) fn child(folder: &Path, name: &str) -> Path {
    match PathPart::parse(name) {
        Ok(part) => folder.clone().join(part),
        Err(_) => folder.clone().join(name),
    }
}

/// Whether a file or folder of this name is looked at during discovery.
pub fn is_visible(segment: &str) -> bool {
    !segment.starts_with(['.', '_']) && !segment.contains('\\') && !has_percent_escape(segment)
}

fn has_percent_escape(text: &str) -> bool {
    text.as_bytes().windows(3).any(|window| {
        matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

/// The nearest of `names` to a name that was not found, if one is near enough to be a typo.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wanted.chars().count() / 3).clamp(1, 4);
    names
        .into_iter()
        .map(|name| (edit_distance(wanted, name, limit), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance without regard to case, or `limit + 1` as soon as it must exceed `limit`.
fn edit_distance(left: &str, right: &str, limit: usize) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    if left.len().abs_diff(right.len()) > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = i;
        let mut best = i + 1;
        let mut previous = i + 1;
        for (b, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let cost = (diagonal + usize::from(a != b)).min(previous + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, cost);
            previous = cost;
            best = best.min(cost);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        if best > limit {
            return limit + 1;
        }
    }
    row.last().copied().unwrap_or(limit + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/./b",
            "a//b",
            "a/",
            "a\\b",
            "..\\x",
            "a\0b",
            "a\nb",
            "%2e%2e/x",
            "a%2Fb",
            "%00",
            "file:///etc/passwd",
            "s3://b/x",
            ".git",
            "_delta_log",
            "a/_delta_log",
            "a/.hidden",
            "~/../x",
        ] {
            assert!(matches!(check(name), Err(LakeError::Name { .. })), "{name:?}");
        }
        assert!(check(&"a".repeat(2000)).is_err());
    }

    #[test]
    fn real_names_are_accepted() {
        for name in [
            "flights",
            "sales/2024",
            "a b/c",
            "größe",
            "100%",
            "x.parquet",
            "year=2024",
            "~x",
            "a..b",
        ] {
            assert_eq!(check(name).unwrap().as_ref(), name);
        }
    }

    #[test]
    fn a_typo_finds_its_table() {
        let names = ["flights", "penguins", "weather"];
        for (wanted, near) in [
            ("fligths", Some("flights")),
            ("Penguins", Some("penguins")),
            ("wether", Some("weather")),
            ("airports", None),
            ("x", None),
        ] {
            assert_eq!(nearest(wanted, names), near, "{wanted}");
        }
    }
}
