//! What the worker must be asked when one choice replaces another, whether by a command,
//! by going back, or by a link.

use super::Chosen;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another table or version: its schema first; everything else follows from that.
    Describe,
    /// Other columns.
    Load,
    /// Another selection, or other views.
    Show,
}

pub fn steps(before: &Chosen, after: &Chosen) -> Vec<Step> {
    if after.table.is_none() {
        return Vec::new();
    }
    if (&before.table, &before.version) != (&after.table, &after.version)
        // A choice with open parts needs the schema to fill them.
        || after.columns.is_none()
        || after.views.is_none()
    {
        return vec![Step::Describe];
    }
    let mut steps = Vec::new();
    if before.columns != after.columns {
        steps.push(Step::Load);
    }
    let marks = |chosen: &Chosen| -> Vec<_> {
        chosen.shown_views().iter().map(super::ShownView::view).collect()
    };
    if before.columns != after.columns
        || before.clauses != after.clauses
        || marks(before) != marks(after)
    {
        steps.push(Step::Show);
    }
    steps
}

#[cfg(test)]
mod tests {
    use engine::predicate::Predicate;

    use super::*;
    use crate::protocol::{Clause, Mark, ViewId, Viewport};
    use crate::state::ShownView;

    #[test]
    fn only_what_changed_is_asked() {
        let view = |id, viewport| ShownView {
            id: ViewId(id),
            mark: Mark::Scatter {
                varied: Default::default(),
                x: "a".to_owned(),
                y: "b".to_owned(),
                color: None,
                look: Default::default(),
            },
            viewport,
        };
        let before = Chosen {
            table: Some("t".to_owned()),
            columns: Some(vec!["a".to_owned()]),
            views: Some(vec![view(1, None)]),
            ..Chosen::default()
        };
        let changed = |change: fn(&mut Chosen)| {
            let mut after = before.clone();
            change(&mut after);
            steps(&before, &after)
        };
        assert_eq!(changed(|_| {}), []);
        assert_eq!(changed(|c| c.table = None), []);
        assert_eq!(changed(|c| c.table = Some("u".to_owned())), [Step::Describe]);
        assert_eq!(changed(|c| c.views = None), [Step::Describe]);
        assert_eq!(changed(|c| c.columns = Some(vec![])), [Step::Load, Step::Show]);
        assert_eq!(changed(|c| c.views = Some(vec![])), [Step::Show]);
        let clause = |c: &mut Chosen| {
            c.clauses.push(Clause { id: "column:a".to_owned(), predicate: Predicate::all() });
        };
        assert_eq!(changed(clause), [Step::Show]);
        let zoom = |c: &mut Chosen| {
            let part = Viewport { x: [0.0, 1.0], y: [0.0, 1.0] };
            c.views.iter_mut().flatten().for_each(|view| view.viewport = Some(part));
        };
        assert_eq!(changed(zoom), [], "a scatter follows its own viewport");
    }
}
