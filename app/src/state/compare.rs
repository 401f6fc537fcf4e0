//! What changed between two versions: a version of its own (`3..5`) whose rows say in the
//! column [`CHANGE_COLUMN`] what became of them. Going there shows it, coming back leaves
//! no trace of it.

use std::collections::BTreeMap;

use engine::query::Version;

use super::{Chosen, ShownView, defaults};
use crate::protocol::{CHANGE_COLUMN, Mark, ViewId};

/// What changed from one version to another.
pub fn between(from: u64, to: u64) -> Version {
    Version::Fingerprint(format!("{from}..{to}"))
}

/// The two versions that are compared, if it is a comparison.
pub fn ends(version: &Version) -> Option<[u64; 2]> {
    let Version::Fingerprint(text) = version else { return None };
    let (from, to) = text.split_once("..")?;
    Some([from.parse().ok()?, to.parse().ok()?])
}

/// The number of the version on screen: of a comparison the later one.
pub fn number(version: &Version) -> Option<u64> {
    match version {
        Version::Number(number) => Some(*number),
        other => ends(other).map(|[_, to]| to),
    }
}

/// What scatters were coloured by before changes were looked at.
pub(crate) type Colors = BTreeMap<ViewId, Option<String>>;

impl Chosen {
    /// Tells whether a comparison was entered or left.
    pub(super) fn open_version(&mut self, version: Option<Version>, colors: &mut Colors) -> bool {
        let is_comparison = |version: &Option<Version>| version.as_ref().and_then(ends).is_some();
        let (was, is) = (is_comparison(&self.version), is_comparison(&version));
        self.version = version;
        match (was, is) {
            (false, true) => self.show_changes(colors),
            (true, false) => self.hide_changes(colors),
            _ => {}
        }
        was != is
    }

    fn show_changes(&mut self, colors: &mut Colors) {
        let id = self.fresh_view_id();
        let Some(views) = &mut self.views else { return };
        for view in views.iter_mut() {
            if let Mark::Scatter { color, .. } = &mut view.mark {
                colors.insert(view.id, color.replace(CHANGE_COLUMN.to_owned()));
            }
        }
        let mark = defaults::bars(CHANGE_COLUMN.to_owned());
        // Beside the first view, which is the largest.
        views.insert(views.len().min(1), ShownView { id, mark, viewport: None });
    }

    fn hide_changes(&mut self, colors: &mut Colors) {
        for view in self.views.iter_mut().flatten() {
            if let Mark::Scatter { color, .. } = &mut view.mark
                && color.as_deref() == Some(CHANGE_COLUMN)
            {
                *color = colors.remove(&view.id).flatten();
            }
        }
        colors.clear();
        if let Some(views) = &mut self.views {
            views.retain(|view| !view.mark.columns().contains(&CHANGE_COLUMN));
        }
        self.clauses.retain(|clause| !clause.predicate.columns().contains(&CHANGE_COLUMN));
        self.order_by.retain(|key| key.column != CHANGE_COLUMN);
        self.row_layout.widths.remove(CHANGE_COLUMN);
        let lists = [&mut self.columns, &mut self.row_columns].into_iter().flatten();
        for list in lists.chain([&mut self.row_layout.pins]) {
            list.retain(|name| name != CHANGE_COLUMN);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use engine::literal::Literal;
    use engine::predicate::{Comparison, Predicate};

    use super::super::Model;
    use super::super::command::{Command, Gesture};
    use super::*;

    #[test]
    fn a_comparison_names_its_versions() {
        assert_eq!(ends(&between(3, 17)), Some([3, 17]));
        assert_eq!(ends(&Version::Fingerprint("f-00ff00ff00ff00ff".to_owned())), None);
        assert_eq!(ends(&Version::Number(3)), None);
        assert_eq!(number(&between(3, 17)), Some(17));
    }

    #[test]
    fn changes_are_shown_and_leave_no_trace() {
        let mut model = Model::default();
        let mark = Mark::Scatter {
            varied: Default::default(),
            x: "x".to_owned(),
            y: "y".to_owned(),
            color: Some("kind".to_owned()),
            look: Default::default(),
        };
        model.chosen.table = Some("t".to_owned());
        model.chosen.version = Some(Version::Number(5));
        model.chosen.columns = Some(vec!["x".to_owned(), "y".to_owned(), "kind".to_owned()]);
        model.chosen.views = Some(vec![ShownView { id: ViewId(1), mark, viewport: None }]);
        let before = model.chosen.clone();

        model.apply(&Command::OpenVersion { version: Some(between(3, 5)) });
        let chosen = &model.chosen;
        assert!(chosen.columns.as_ref().unwrap().iter().any(|name| name == CHANGE_COLUMN));
        assert_eq!(chosen.shown_views().len(), 2);
        let predicate = Predicate::Compare {
            column: CHANGE_COLUMN.to_owned(),
            op: Comparison::Eq,
            value: Literal::Text("added".to_owned()),
        };
        let id = super::super::column_clause(CHANGE_COLUMN);
        let gesture = Gesture::Done;
        model.apply(&Command::SetClause { id, predicate: Some(predicate), gesture });
        model.apply(&Command::PinRowColumn { column: CHANGE_COLUMN.to_owned(), pinned: true });
        assert_eq!(model.chosen.row_layout.pins, [CHANGE_COLUMN]);
        // From one comparison to another, the filter stays.
        model.apply(&Command::OpenVersion { version: Some(between(4, 5)) });
        assert_eq!(model.chosen.clauses.len(), 1);

        model.apply(&Command::OpenVersion { version: Some(Version::Number(5)) });
        assert_eq!(model.chosen, before);
    }
}
