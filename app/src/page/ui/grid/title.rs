//! What a heat map, a line or boxes are of, chosen in their titles, and how they are drawn,
//! chosen in their menus.

use crate::page::lasting::Derived;
use engine::kind::Kind;
use leptos::prelude::*;

use super::GridView;
use crate::page::ui::icon::Icon;
use crate::page::ui::view_frame::ColumnSelect;
use crate::protocol::{Mark, Measured};
use crate::scale::step::TimeStep;
use crate::state::address::MEASURING;
use crate::state::command::Command;
use crate::texts;

impl GridView {
    fn set(self, change: impl FnOnce(&mut Mark)) {
        if let Some(mut mark) = self.mark.get_untracked() {
            change(&mut mark);
            self.cursor.set(None);
            self.page.dispatch(Command::SetMark { view: self.id, mark });
        }
    }

    /// The names of columns of some kinds.
    fn names(self, fits: fn(Kind) -> bool) -> Signal<Vec<String>> {
        Signal::derive(move || {
            let schema = self.page.schema();
            let columns = schema.iter().flat_map(|schema| &schema.columns);
            columns.filter(|column| fits(column.kind)).map(|column| column.name.clone()).collect()
        })
    }

    fn part(self, of: fn(&Mark) -> Option<&String>) -> Signal<String> {
        Signal::derive(move || {
            self.mark.with(|mark| mark.as_ref().and_then(of).cloned().unwrap_or_default())
        })
    }

    fn select(
        self,
        label: &'static str,
        names: Signal<Vec<String>>,
        chosen: Signal<String>,
        none: &'static str,
        set: fn(&mut Mark, String),
    ) -> AnyView {
        let on_choose = Callback::new(move |name: String| self.set(|mark| set(mark, name)));
        match none {
            "" => view! { <ColumnSelect label names chosen on_choose/> }.into_any(),
            none => view! { <ColumnSelect label names chosen none on_choose/> }.into_any(),
        }
    }
}

fn is_named(kind: Kind) -> bool {
    matches!(kind, Kind::Category | Kind::Boolean | Kind::Text)
}

fn some(name: String) -> Option<String> {
    (!name.is_empty()).then_some(name)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drawn {
    Heat,
    Line,
    Boxes,
}

/// What is drawn, so that a title or menu is made anew only where that changes.
fn drawn(view: GridView) -> Derived<Drawn> {
    Derived::new(move |_| {
        view.mark.with(|mark| match mark {
            Some(Mark::Heat { .. }) => Drawn::Heat,
            Some(Mark::Line { .. }) => Drawn::Line,
            _ => Drawn::Boxes,
        })
    })
}

#[component]
pub(super) fn Title(view: GridView) -> impl IntoView {
    let drawn = drawn(view);
    move || match drawn.get() {
        Drawn::Heat => heat(view),
        Drawn::Line => line(view),
        Drawn::Boxes => boxes(view),
    }
}

fn by(word: &'static str) -> AnyView {
    view! { <span class="by">{word}</span> }.into_any()
}

fn heat(view: GridView) -> AnyView {
    let all = view.names(|kind| !matches!(kind, Kind::Vector | Kind::Nested));
    let x = view.part(|mark| if let Mark::Heat { x, .. } = mark { Some(x) } else { None });
    let y = view.part(|mark| if let Mark::Heat { y, .. } = mark { Some(y) } else { None });
    let set_x = |mark: &mut Mark, name| {
        if let Mark::Heat { x, .. } = mark {
            *x = name;
        }
    };
    let set_y = |mark: &mut Mark, name| {
        if let Mark::Heat { y, .. } = mark {
            *y = name;
        }
    };
    vec![
        view.select(texts::grid::VERTICAL_SIDE, all, y, "", set_y),
        by(texts::grid::BY),
        view.select(texts::grid::HORIZONTAL_SIDE, all, x, "", set_x),
    ]
    .into_any()
}

fn line(view: GridView) -> AnyView {
    let op = Signal::derive(move || match view.mark.get() {
        Some(Mark::Line { of: Some(of), .. }) => texts::grid::measure(of.op).to_owned(),
        _ => String::new(),
    });
    let ops = Signal::derive(|| MEASURING.map(|op| texts::grid::measure(op).to_owned()).to_vec());
    let numbers = view.names(|kind| kind == Kind::Number);
    let page = view.page;
    let on_op = Callback::new(move |name: String| {
        let first = untrack(|| numbers.get()).into_iter().next();
        let op = MEASURING.into_iter().find(|op| texts::grid::measure(*op) == name);
        if op.is_some() && first.is_none() {
            page.notify(crate::protocol::Level::Info, texts::grid::NO_NUMBERS);
            return;
        }
        view.set(|mark| {
            if let Mark::Line { of, .. } = mark {
                let column = of.take().map(|of| of.column).or(first);
                *of = op.zip(column).map(|(op, column)| Measured { op, column });
            }
        });
    });
    let column = view.part(|mark| match mark {
        Mark::Line { of: Some(of), .. } => Some(&of.column),
        _ => None,
    });
    let is_measured = move || !op.get().is_empty();
    let time = view.part(|mark| if let Mark::Line { time, .. } = mark { Some(time) } else { None });
    let split =
        view.part(|mark| if let Mark::Line { split, .. } = mark { split.as_ref() } else { None });
    let of = move || {
        is_measured().then(|| {
            let set = |mark: &mut Mark, name| {
                if let Mark::Line { of: Some(of), .. } = mark {
                    of.column = name;
                }
            };
            vec![by(texts::grid::OF), view.select(texts::grid::NUMBER, numbers, column, "", set)]
        })
    };
    let of = view! { {of} }.into_any();
    let set_time = |mark: &mut Mark, name| {
        if let Mark::Line { time, .. } = mark {
            *time = name;
        }
    };
    let set_split = |mark: &mut Mark, name| {
        if let Mark::Line { split, .. } = mark {
            *split = some(name);
        }
    };
    vec![
        view! { <ColumnSelect label=texts::grid::WHAT_IS_DRAWN names=ops chosen=op none=texts::grid::ROWS on_choose=on_op/> }
            .into_any(),
        of,
        by(texts::grid::BY),
        view.select(texts::grid::TIME, view.names(|kind| kind == Kind::Time), time, "", set_time),
        by(texts::grid::AND),
        view.select(texts::grid::LINES, view.names(is_named), split, texts::grid::NO_LINES, set_split),
    ]
    .into_any()
}

fn boxes(view: GridView) -> AnyView {
    let column =
        view.part(|mark| if let Mark::Boxes { column, .. } = mark { Some(column) } else { None });
    let group =
        view.part(|mark| if let Mark::Boxes { by, .. } = mark { by.as_ref() } else { None });
    let set_column = |mark: &mut Mark, name| {
        if let Mark::Boxes { column, .. } = mark {
            *column = name;
        }
    };
    let set_group = |mark: &mut Mark, name| {
        if let Mark::Boxes { by, .. } = mark {
            *by = some(name);
        }
    };
    vec![
        view.select(
            texts::grid::NUMBER,
            view.names(|kind| kind == Kind::Number),
            column,
            "",
            set_column,
        ),
        by(texts::grid::BY),
        view.select(
            texts::grid::GROUPS,
            view.names(is_named),
            group,
            texts::grid::NO_GROUPS,
            set_group,
        ),
    ]
    .into_any()
}

impl GridView {
    /// An entry that is on or off.
    fn turning(self, label: &'static str, is: fn(&Mark) -> bool, turn: fn(&mut Mark)) -> AnyView {
        let pressed = move || self.mark.with(|mark| mark.as_ref().is_some_and(is)).to_string();
        view! {
            <button type="button" class="toggle" aria-pressed=pressed on:click=move |_| self.set(turn)>
                {Icon::Check.view()} {label}
            </button>
        }
        .into_any()
    }
}

#[component]
pub(super) fn GridMenu(view: GridView) -> impl IntoView {
    let drawn = drawn(view);
    move || match drawn.get() {
        Drawn::Heat => heat_menu(view),
        Drawn::Line => line_menu(view),
        Drawn::Boxes => view.turning(
            texts::grid::VIOLINS,
            |mark| matches!(mark, Mark::Boxes { violin: true, .. }),
            |mark| {
                if let Mark::Boxes { violin, .. } = mark {
                    *violin = !*violin;
                }
            },
        ),
    }
}

fn heat_menu(view: GridView) -> AnyView {
    let bins = [20_u16, 40, 60].map(|many| {
        let pressed = move || {
            view.mark
                .with(|mark| matches!(mark, Some(Mark::Heat { bins, .. }) if *bins == many))
                .to_string()
        };
        let set = move |_| {
            view.set(|mark| {
                if let Mark::Heat { bins, .. } = mark {
                    *bins = many;
                }
            });
        };
        view! { <button type="button" aria-pressed=pressed on:click=set>{many}</button> }
    });
    let swap = move |_| {
        view.set(|mark| {
            if let Mark::Heat { x, y, .. } = mark {
                std::mem::swap(x, y);
            }
        });
    };
    let log = view.turning(
        texts::grid::LOG_COLORS,
        |mark| matches!(mark, Mark::Heat { log: true, .. }),
        |mark| {
            if let Mark::Heat { log, .. } = mark {
                *log = !*log;
            }
        },
    );
    view! {
        <div class="menu-row" role="group" aria-label=texts::charts::BIN_COUNT>
            <span>{texts::charts::BINS}</span>
            <div class="segmented">{bins.into_iter().collect_view()}</div>
        </div>
        {log}
        <button type="button" on:click=swap>{Icon::Refresh.view()} {texts::grid::SWAP_SIDES}</button>
    }
    .into_any()
}

fn line_menu(view: GridView) -> AnyView {
    let steps =
        Signal::derive(|| TimeStep::ALL.map(|step| texts::grid::step(step).to_owned()).to_vec());
    let chosen = Signal::derive(move || match view.mark.get() {
        Some(Mark::Line { step: Some(step), .. }) => texts::grid::step(step).to_owned(),
        _ => String::new(),
    });
    let set = |mark: &mut Mark, name: String| {
        if let Mark::Line { step, .. } = mark {
            *step = TimeStep::ALL.into_iter().find(|step| texts::grid::step(*step) == name);
        }
    };
    view! {
        <div class="menu-row">
            <span>{texts::grid::STEP}</span>
            {view.select(texts::grid::TIME_STEP, steps, chosen, texts::grid::AUTOMATIC, set)}
        </div>
    }
    .into_any()
}
