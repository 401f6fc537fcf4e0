//! Views that are kept under a name: each the query part of the address that opens it.
//! Kept as lines of text, name and query parted by a tab.

/// More than anybody finds again.
const SAVED_MAX: usize = 200;
const NAME_LETTERS_MAX: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    pub name: String,
    pub query: String,
}

pub fn read(text: &str) -> Vec<SavedView> {
    let saved = text.lines().filter_map(|line| line.split_once('\t'));
    let saved = saved.filter(|(name, query)| !name.is_empty() && query.starts_with('?'));
    saved
        .map(|(name, query)| SavedView { name: name.to_owned(), query: query.to_owned() })
        .take(SAVED_MAX)
        .collect()
}

pub fn write(saved: &[SavedView]) -> String {
    saved.iter().map(|view| format!("{}\t{}\n", view.name, view.query)).collect()
}

/// The name as it is kept; `None` if nothing is left of it.
pub fn name(typed: &str) -> Option<String> {
    let words: Vec<&str> = typed.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(NAME_LETTERS_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// Keeps a view, the newest first; one of the same name is replaced and returned.
pub fn save(saved: &mut Vec<SavedView>, view: SavedView) -> Option<SavedView> {
    let before = forget(saved, &view.name);
    saved.insert(0, view);
    saved.truncate(SAVED_MAX);
    before
}

pub fn forget(saved: &mut Vec<SavedView>, name: &str) -> Option<SavedView> {
    let at = saved.iter().position(|view| view.name == name)?;
    Some(saved.remove(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, query: &str) -> SavedView {
        SavedView { name: name.to_owned(), query: query.to_owned() }
    }

    #[test]
    fn views_are_kept_newest_first_and_once_by_name() {
        let mut saved = Vec::new();
        assert_eq!(save(&mut saved, view("a", "?link=1&table=t")), None);
        save(&mut saved, view("b c", "?link=1"));
        assert_eq!(save(&mut saved, view("a", "?x")), Some(view("a", "?link=1&table=t")));
        assert_eq!(saved, [view("a", "?x"), view("b c", "?link=1")]);
        assert_eq!(read(&write(&saved)), saved);
        assert_eq!(forget(&mut saved, "a"), Some(view("a", "?x")));
        assert_eq!(forget(&mut saved, "a"), None);
    }

    #[test]
    fn names_are_one_line_and_damage_is_left_out() {
        assert_eq!(name("  two\n\twords "), Some("two words".to_owned()));
        assert_eq!(name(" \t"), None);
        assert_eq!(
            read("no tab\n\t?x\nname\tjavascript:x\nok\t?link=1\n"),
            [view("ok", "?link=1")]
        );
    }
}
