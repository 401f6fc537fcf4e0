//! What commands do to the choice, and how a choice settles on a schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use engine::kind::Kind;
use engine::literal::Literal;
use engine::query::Nulls;

use super::command::command_from_key;
use super::settle::settle;
use super::*;
use crate::protocol::ColumnInfo;

pub(super) fn info(name: &str, kind: Kind) -> ColumnInfo {
    ColumnInfo {
        name: name.to_owned(),
        data_type: String::new(),
        kind,
        nullable: true,
        bytes_per_row: 8.0,
        min: None,
        max: None,
        null_count: None,
        distinct_count: None,
    }
}

fn flights() -> Vec<ColumnInfo> {
    vec![
        info("date", Kind::Time),
        info("delay", Kind::Number),
        info("distance", Kind::Number),
        info("flight_id", Kind::Number),
        info("origin", Kind::Text),
        info("path", Kind::Nested),
    ]
}

fn delay(low: i64, high: i64) -> Predicate {
    Predicate::Between {
        column: "delay".to_owned(),
        low: Literal::from(low),
        high: Literal::from(high),
    }
}

fn set(predicate: Option<Predicate>, gesture: Gesture) -> Command {
    Command::SetClause { id: column_clause("delay"), predicate, gesture }
}

fn opened() -> Model {
    let mut model = Model::default();
    model.apply(&Command::OpenTable { table: "flights".to_owned() });
    settle(&mut model.chosen, &flights(), Some(3_000_000), Some(Version::Number(4)));
    model
}

#[test]
fn a_table_opens_with_views_and_columns_of_its_schema() {
    let model = opened();
    let marks: Vec<String> =
        model.chosen.shown_views().iter().map(|view| describe::mark(&view.mark)).collect();
    assert_eq!(marks, ["distance by delay", "date", "delay", "distance", "origin"]);
    let columns = model.chosen.columns.as_ref().unwrap();
    assert_eq!(columns, &["date", "delay", "distance", "flight_id", "origin"]);
    assert_eq!(model.chosen.version, Some(Version::Number(4)));
}

#[test]
fn columns_too_large_to_load_are_left_to_the_user() {
    let mut chosen = Chosen { table: Some("t".to_owned()), ..Chosen::default() };
    settle(&mut chosen, &flights(), Some(10_000_000), None);
    // Four columns of eighty megabytes are needed by the views; a fifth would be too much.
    assert_eq!(chosen.columns.unwrap(), ["date", "delay", "distance", "origin"]);
}

#[test]
fn a_drag_is_one_step_of_undo() {
    let mut model = opened();
    assert_eq!(model.apply(&set(Some(delay(0, 10)), Gesture::Moving)), AddressChange::None);
    assert_eq!(model.apply(&set(Some(delay(0, 20)), Gesture::Moving)), AddressChange::None);
    assert_eq!(model.apply(&set(Some(delay(0, 30)), Gesture::Done)), AddressChange::Push);
    model.apply(&set(Some(delay(5, 30)), Gesture::Done));
    model.apply(&Command::Undo);
    assert_eq!(model.chosen.clause("column:delay"), Some(&delay(0, 30)));
    model.apply(&Command::Undo);
    assert_eq!(model.chosen.clauses, []);
    assert!(!model.history.can_undo());
    model.apply(&Command::Redo);
    model.apply(&Command::Redo);
    assert_eq!(model.chosen.clause("column:delay"), Some(&delay(5, 30)));
    model.apply(&Command::ClearClauses);
    assert_eq!(model.chosen.clauses, []);
    model.apply(&Command::Undo);
    assert_eq!(model.chosen.clause("column:delay"), Some(&delay(5, 30)));
}

#[test]
fn a_drag_that_comes_back_leaves_no_step() {
    let mut model = opened();
    model.apply(&set(Some(delay(0, 10)), Gesture::Moving));
    assert_eq!(model.apply(&set(None, Gesture::Done)), AddressChange::Replace);
    assert!(!model.history.can_undo());
}

#[test]
fn a_box_goes_with_its_axes() {
    let mut model = opened();
    let view = ViewId(1);
    let the_box = Command::SetClause {
        id: "view:1".to_owned(),
        predicate: Some(delay(0, 1)),
        gesture: Gesture::Done,
    };
    let viewport = Viewport { x: [0.0, 1.0], y: [0.0, 1.0] };
    let zoom = Command::SetViewport { view, viewport: Some(viewport), gesture: Gesture::Done };
    model.apply(&the_box);
    assert_eq!(model.apply(&zoom), AddressChange::Replace);
    let recolored = Mark::Scatter {
        varied: Default::default(),
        look: Default::default(),
        x: "delay".to_owned(),
        y: "distance".to_owned(),
        color: Some("origin".to_owned()),
    };
    model.apply(&Command::SetMark { view, mark: recolored });
    assert_eq!(model.chosen.view(view).unwrap().viewport, Some(viewport));
    assert!(model.chosen.clause("view:1").is_some());
    let turned = Mark::Scatter {
        varied: Default::default(),
        x: "distance".to_owned(),
        y: "delay".to_owned(),
        color: None,
        look: Default::default(),
    };
    model.apply(&Command::SetMark { view, mark: turned });
    assert_eq!(model.chosen.view(view).unwrap().viewport, None);
    assert_eq!(model.chosen.clauses, []);
    model.apply(&the_box);
    model.apply(&Command::RemoveView { view });
    assert_eq!(model.chosen.clauses, []);
    model.apply(&Command::Undo);
    assert!(model.chosen.clause("view:1").is_some());
}

#[test]
fn views_are_added_moved_and_removed() {
    let mut model = opened();
    let mark = defaults::mark_of(&info("origin", Kind::Text)).unwrap();
    model.apply(&Command::AddView { mark: mark.clone() });
    let added = model.chosen.shown_views().last().unwrap().id;
    assert_eq!(added, ViewId(6));
    model.apply(&Command::MoveView { view: added, to: 0 });
    assert_eq!(model.chosen.shown_views()[0].id, added);
    model.apply(&Command::MoveView { view: added, to: 99 });
    assert_eq!(model.chosen.shown_views().last().unwrap().id, added);
    for _ in 0..100 {
        model.apply(&Command::AddView { mark: mark.clone() });
    }
    assert_eq!(model.chosen.shown_views().len(), VIEWS_MAX);
}

#[test]
fn what_a_version_lacks_is_left_out_and_said() {
    let mut model = opened();
    model.apply(&set(Some(delay(0, 10)), Gesture::Done));
    let sort =
        OrderKey { column: "delay".to_owned(), descending: false, nulls: Default::default() };
    model.apply(&Command::SortRows { order_by: vec![sort] });
    let without: Vec<ColumnInfo> = flights().into_iter().filter(|c| c.name != "delay").collect();
    let complaints = settle(&mut model.chosen, &without, Some(10), Some(Version::Number(1)));
    assert_eq!(
        complaints,
        [r#"column "delay" is not in this table at version 1: what used it was left out"#]
    );
    assert_eq!((model.chosen.clauses.len(), model.chosen.order_by.len()), (0, 0));
    let marks: Vec<String> =
        model.chosen.shown_views().iter().map(|view| describe::mark(&view.mark)).collect();
    assert_eq!(marks, ["date", "distance", "origin"]);
    let wrong = ShownView {
        id: ViewId(9),
        mark: Mark::Bars { column: "distance".to_owned(), limit: 9, search: String::new() },
        viewport: None,
    };
    model.chosen.views = Some(vec![wrong]);
    let complaints = settle(&mut model.chosen, &without, Some(10), None);
    assert!(complaints[0].contains("has no such axis"), "{complaints:?}");
    assert_eq!(model.chosen.shown_views(), []);
}

#[test]
fn keys_name_commands() {
    assert_eq!(command_from_key("z", true, false, false), Some(Command::Undo));
    assert_eq!(command_from_key("Z", true, true, false), Some(Command::Redo));
    assert_eq!(command_from_key("y", true, false, false), Some(Command::Redo));
    assert!(command_from_key("?", false, true, false).is_some());
    assert!(command_from_key("?", false, false, false).is_some());
    assert!(command_from_key("/", false, true, false).is_some());
    assert_eq!(command_from_key("z", false, false, false), None);
    assert_eq!(command_from_key("t", true, false, false), None);
    assert_eq!(command_from_key("T", false, true, false), None);
    assert_eq!(command_from_key("z", true, false, true), None);
}

#[test]
fn views_and_sorting_are_undone_like_filters() {
    let mut model = opened();
    let before = model.chosen.clone();
    let mark = defaults::mark_of(&info("origin", Kind::Text)).unwrap();
    model.apply(&Command::AddView { mark: mark.clone() });
    let order_by =
        vec![OrderKey { column: "delay".to_owned(), descending: true, nulls: Nulls::Last }];
    model.apply(&Command::SortRows { order_by });
    model.apply(&set(Some(delay(0, 10)), Gesture::Done));
    let view = ViewId(1);
    model.apply(&Command::RemoveView { view });
    let after = model.chosen.clone();
    // Panning is no step, and survives the steps around it.
    for _ in 0..4 {
        model.apply(&Command::Undo);
    }
    assert_eq!((&model.chosen.views, &model.chosen.order_by), (&before.views, &before.order_by));
    assert!(!model.history.can_undo());
    let viewport = Viewport { x: [0.0, 1.0], y: [0.0, 1.0] };
    model.apply(&Command::SetViewport { view, viewport: Some(viewport), gesture: Gesture::Done });
    model.apply(&Command::Redo);
    assert_eq!(model.chosen.view(view).unwrap().viewport, Some(viewport));
    for _ in 0..3 {
        model.apply(&Command::Redo);
    }
    assert_eq!(model.chosen.views, after.views);
    assert_eq!(model.chosen.clauses, after.clauses);
    // What changes nothing leaves no step.
    model.apply(&Command::MoveView { view: ViewId(99), to: 0 });
    model.apply(&Command::Undo);
    assert!(model.chosen.view(view).is_some());
}

#[test]
fn a_look_is_undone_as_one_change_and_a_record_is_none() {
    let mut model = opened();
    let view = ViewId(1);
    let set = |size, gesture| {
        let look = Look { size, ..Default::default() };
        Command::SetLook { view, look, gesture }
    };
    let look_of = |model: &Model| match model.chosen.view(view).unwrap().mark {
        Mark::Scatter { look, .. } => look,
        _ => panic!("no scatter"),
    };
    for (size, gesture, change) in [
        (10, Gesture::Moving, AddressChange::None),
        (20, Gesture::Moving, AddressChange::None),
        (30, Gesture::Done, AddressChange::Push),
    ] {
        assert_eq!(model.apply(&set(size, gesture)), change, "{size}");
        assert_eq!(look_of(&model).size, size);
    }
    assert_eq!(model.apply(&Command::Pin { row: Some(7) }), AddressChange::Replace);
    model.apply(&Command::Undo);
    assert_eq!((look_of(&model).size, model.chosen.pinned), (0, Some(7)));
    // Another version has other rows.
    model.apply(&Command::OpenVersion { version: None });
    assert_eq!(model.chosen.pinned, None);
    // What is played is loaded.
    let player = Player::of("flight_id".to_owned());
    model.apply(&Command::Play { player: Some(player) });
    assert!(model.chosen.columns.as_ref().unwrap().iter().any(|name| name == "flight_id"));
}

#[test]
fn the_table_of_rows_is_laid_out_and_that_is_undone() {
    let mut model = opened();
    model.chosen.views = Some(Vec::new());
    model.chosen.columns = Some(["date", "delay", "distance"].map(str::to_owned).to_vec());
    let column = || "distance".to_owned();
    let before = model.chosen.clone();
    let steps = [
        Command::PinRowColumn { column: column(), pinned: true },
        Command::SizeRowColumn { column: column(), width: Some(200) },
        Command::MoveRowColumn { column: "delay".to_owned(), to: 1 },
        Command::SortRows {
            order_by: vec![OrderKey {
                column: column(),
                descending: true,
                nulls: Default::default(),
            }],
        },
        Command::ShowRowColumns { columns: Some(vec![column()]) },
    ];
    let mut states = vec![before];
    for step in &steps {
        assert_ne!(model.apply(step), AddressChange::None, "{step:?}");
        // The same once more changes nothing, and is no step to undo.
        assert_eq!(model.apply(step), AddressChange::None, "{step:?}");
        states.push(model.chosen.clone());
    }
    let moved = ["distance", "delay", "date"].map(str::to_owned).to_vec();
    assert_eq!(states[3].row_columns, Some(moved));
    for state in states.iter().rev().skip(1) {
        model.apply(&Command::Undo);
        assert_eq!(model.chosen, *state);
    }
    assert!(!model.history.can_undo());
    for state in states.iter().skip(1) {
        model.apply(&Command::Redo);
        assert_eq!(model.chosen, *state);
    }
}
