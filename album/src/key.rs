//! How a cell says which picture of a file it means.

/// A dataset, and a row of it where it holds many pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The path of the dataset in the file, as `images/ab12`.
    pub dataset: String,
    /// Counted from 0.
    pub row: Option<u64>,
}

impl Key {
    /// Of `dataset` or `dataset[row]`; none where no dataset is named.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, row) = match text.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
            Some((name, digits)) if is_number(digits) => (name, Some(digits.parse().ok()?)),
            _ => (text, None),
        };
        let dataset = name.trim_matches('/');
        (!dataset.is_empty()).then(|| Self { dataset: dataset.to_owned(), row })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_datasets_with_a_row_or_without() {
        let key = |dataset: &str, row| Some(Key { dataset: dataset.to_owned(), row });
        for (text, expected) in [
            ("images", key("images", None)),
            ("/images/ab12/", key("images/ab12", None)),
            ("images[0]", key("images", Some(0))),
            ("a/b[007]", key("a/b", Some(7))),
            ("a[1][2]", key("a[1]", Some(2))),
            ("a[b]", key("a[b]", None)),
            ("a[-1]", key("a[-1]", None)),
            ("a[]", key("a[]", None)),
            ("a[99999999999999999999]", None),
            ("[3]", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(Key::parse(text), expected, "{text:?}");
        }
    }
}
