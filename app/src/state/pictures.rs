//! Which columns hold pictures, what a cell says of where its picture is, and from where a
//! page may show it.

use crate::protocol::{ColumnInfo, file_of_name};

/// Endings of addresses and files that are pictures.
const ENDINGS: [&str; 7] = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".bmp"];

/// Files of many pictures: what follows says which.
const STORES: [&str; 3] = [".h5#", ".hdf5#", ".hdf#"];

/// Names of columns whose addresses are pictures, whatever those end with; the first one that
/// a table has is its pictures.
const NAMES: [&str; 12] = [
    "identifier",
    "image_url",
    "url",
    "img_url",
    "image",
    "img",
    "picture",
    "photo",
    "thumbnail",
    "photo_url",
    "picture_url",
    "thumbnail_url",
];

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the cell itself, as bytes or as a `data:` address: the worker has it.
    Cell,
    Web(String),
    /// A file of the lake, or a picture in one, by its path.
    Beside(String),
}

/// An address that a click may open: nothing but the web, and nothing that hides more.
pub fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && is_plain(text) && !text.contains([' ', '\t']))
}

fn is_plain(text: &str) -> bool {
    !text.ends_with('…') && !text.contains(|c: char| c.is_control() || "<>\"".contains(c))
}

fn ends_as_picture(path: &str) -> bool {
    let path = path.to_lowercase();
    ENDINGS.iter().any(|ending| path.ends_with(ending) && path.len() > ending.len())
}

/// Whether it is a picture in a file of many, as `store.h5#images/ab12`.
fn is_stored(path: &str) -> bool {
    let path = path.to_lowercase();
    let is_in =
        |store: &str| path.find(store).is_some_and(|at| at > 0 && at + store.len() < path.len());
    STORES.into_iter().any(is_in)
}

/// The picture that a value stands for, as it is shown; none where it is no picture, by its
/// look or the name of its column.
pub fn source(column: &str, is_binary: bool, text: &str) -> Option<Source> {
    if is_binary {
        return text.starts_with("image/").then_some(Source::Cell);
    }
    if text.starts_with("data:image/") {
        return Some(Source::Cell);
    }
    if is_link(text) {
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let is_picture = ends_as_picture(path) || is_named(column);
        return is_picture.then(|| Source::Web(text.to_owned()));
    }
    let is_picture = ends_as_picture(text) || is_stored(text);
    let is_path = is_plain(text) && !text.contains(':') && is_picture;
    is_path.then(|| Source::Beside(text.to_owned()))
}

/// Whether its name says that all of its addresses are pictures: of a `url` anything may be.
fn is_named(name: &str) -> bool {
    name != "url" && rank(name).is_some()
}

fn rank(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    NAMES.iter().position(|known| *known == name)
}

/// The column whose values are a table's pictures: of those in which one was `seen` the one
/// with the first name, else the first of them, else one that is named so and holds bytes.
pub fn column_of(columns: &[ColumnInfo], seen: impl Fn(&str) -> bool) -> Option<&ColumnInfo> {
    let order = |column: &&ColumnInfo| rank(&column.name).unwrap_or(NAMES.len());
    let seen = columns.iter().filter(|column| seen(&column.name)).min_by_key(order);
    let held = || {
        let bytes = columns.iter().filter(|column| column.data_type.contains("Binary"));
        bytes.filter(|column| rank(&column.name).is_some()).min_by_key(order)
    };
    seen.or_else(held)
}

/// What asks the companion for a picture that is no larger than it is shown among others.
const SMALL: &str = "&side=384";

/// The address of the picture in its own size.
pub fn whole(address: &str) -> &str {
    address.strip_suffix(SMALL).unwrap_or(address)
}

/// Where the picture may be had from, in the order to try; `api` is the companion's address,
/// which makes large ones smaller. Empty where nobody can show it.
pub fn addresses(source: &Source, api: Option<&str>, table: &str) -> Vec<String> {
    // Of a table that no companion has the page knows no folder.
    let is_here = file_of_name(table).is_some();
    let by_companion = |place: &str| {
        let api = api?.trim_end_matches('/');
        let (place, table) = (encoded(place), encoded(table));
        Some(format!("{api}/api/image?table={table}&source={place}{SMALL}"))
    };
    match source {
        Source::Cell => Vec::new(),
        Source::Beside(_) if is_here => Vec::new(),
        Source::Beside(path) => by_companion(path).into_iter().collect(),
        // A secure page may show nothing that is not; the companion may fetch it.
        Source::Web(address) => {
            let own = address.starts_with("https:").then(|| address.clone());
            own.into_iter().chain(by_companion(address)).collect()
        }
    }
}

/// A value as it stands in the query of an address (RFC 3986: unreserved letters as they are).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                for half in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                    encoded.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::kind::Kind;

    fn column(name: &str, data_type: &str) -> ColumnInfo {
        ColumnInfo {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            kind: Kind::Text,
            nullable: true,
            bytes_per_row: 0.0,
            min: None,
            max: None,
            null_count: None,
            distinct_count: None,
        }
    }

    #[test]
    fn values_say_where_their_pictures_are() {
        let web = |text: &str| Some(Source::Web(text.to_owned()));
        let beside = |text: &str| Some(Source::Beside(text.to_owned()));
        for (name, text, expected) in [
            ("any", "https://a.org/b.JPG?size=2", web("https://a.org/b.JPG?size=2")),
            ("any", "https://a.org/b", None),
            ("Image_URL", "https://a.org/b", web("https://a.org/b")),
            ("identifier", "http://a.org/b", web("http://a.org/b")),
            ("url", "https://a.org/b", None),
            ("image", "not an address", None),
            ("file", "pics/a b.webp", beside("pics/a b.webp")),
            ("file", "pics/Store.h5#images/ab12", beside("pics/Store.h5#images/ab12")),
            ("file", "store.hdf5#images[3]", beside("store.hdf5#images[3]")),
            ("file", "store.h5#", None),
            ("file", "store.h5", None),
            ("file", ".h5#a", None),
            ("file", ".png", None),
            ("file", "C:\\a.png", None),
            ("file", "javascript:a.png", None),
            ("file", "cut off.pn…", None),
            ("any", "data:image/png;base64,AA", Some(Source::Cell)),
            ("any", "https://a.org/\"onerror=.png", None),
        ] {
            assert_eq!(source(name, false, text), expected, "{name}: {text}");
        }
        assert_eq!(source("bytes", true, "image/png · 70 B"), Some(Source::Cell));
        assert_eq!(source("bytes", true, "0011 · 70 B"), None);
    }

    #[test]
    fn the_first_name_is_the_tables_picture() {
        let columns =
            [column("page.png", "Utf8"), column("image", "Binary"), column("identifier", "Utf8")];
        let name = |seen: &[&str]| {
            column_of(&columns, |name| seen.contains(&name)).map(|column| column.name.clone())
        };
        assert_eq!(name(&[]).as_deref(), Some("image"));
        assert_eq!(name(&["page.png"]).as_deref(), Some("page.png"));
        assert_eq!(name(&["page.png", "image", "identifier"]).as_deref(), Some("identifier"));
        assert!(column_of(&columns[..1], |_| false).is_none());
    }

    #[test]
    fn pictures_are_tried_where_they_are_then_by_the_companion() {
        let api = Some("http://h:1/");
        let web = Source::Web("https://a.org/b?c=d e&f".to_owned());
        let proxied =
            "http://h:1/api/image?table=t&source=https%3A//a.org/b%3Fc%3Dd%20e%26f&side=384";
        let direct = "https://a.org/b?c=d e&f";
        assert_eq!(addresses(&web, api, "t"), [direct, proxied]);
        assert_eq!(addresses(&web, None, "t"), [direct]);
        let insecure = Source::Web("http://a.org/b".to_owned());
        assert_eq!(addresses(&insecure, None, "t"), [""; 0]);
        assert_eq!(addresses(&insecure, api, "t").len(), 1);
        let beside = Source::Beside("ä.png".to_owned());
        let from_lake = "http://h:1/api/image?table=a/b&source=%C3%A4.png&side=384";
        assert_eq!(whole(from_lake), "http://h:1/api/image?table=a/b&source=%C3%A4.png");
        assert_eq!(whole(direct), direct);
        assert_eq!(addresses(&beside, api, "a/b"), [from_lake]);
        assert_eq!(addresses(&beside, api, "file:t.csv"), [""; 0]);
        assert_eq!(addresses(&beside, None, "t"), [""; 0]);
    }
}
