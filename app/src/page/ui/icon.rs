//! The page's signs, drawn on a grid of 16 × 16 as single strokes.

use crate::texts;
use engine::kind::Kind;
use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icon {
    Add,
    Boolean,
    Boxes,
    Cancel,
    Category,
    Check,
    ChevronDown,
    Columns,
    Dark,
    Delete,
    Down,
    Filter,
    Fit,
    Groups,
    Help,
    Lasso,
    Light,
    Line,
    Link,
    Look,
    More,
    Nested,
    Number,
    Offline,
    Open,
    Pause,
    Play,
    Redo,
    Refresh,
    Rows,
    Save,
    Saved,
    Scatter,
    Search,
    Select,
    Shapes,
    Side,
    StepBack,
    StepForward,
    System,
    Table,
    Text,
    Time,
    Undo,
    Up,
    Vector,
    Views,
    Warning,
}

impl Icon {
    pub(super) fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self::Number,
            Kind::Category => Self::Category,
            Kind::Time => Self::Time,
            Kind::Boolean => Self::Boolean,
            Kind::Text => Self::Text,
            Kind::Vector => Self::Vector,
            Kind::Nested => Self::Nested,
        }
    }

    pub(super) fn view(self) -> impl IntoView {
        view! {
            <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                <path d=self.path()></path>
            </svg>
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Save => "M8 2.5v7M5 7l3 3 3-3M3 12.5h10",
            Self::Saved => "M4.5 2.5h7v11L8 10.800l-3.500 2.700z",
            Self::Add => "M8 3v10M3 8h10",
            Self::Boolean => {
                "M5 4.5h6a3.5 3.5 0 0 1 0 7H5a3.5 3.5 0 0 1 0-7zM11 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z"
            }
            Self::Boxes => {
                "M2 5h2.5M4.5 3h6v4h-6zM7 3v4M10.500 5H14M2 11h4M6 9h4v4H6zM8.500 9v4M10 11h4"
            }
            Self::Cancel => "M4 4l8 8M12 4l-8 8",
            Self::Category => "M2.5 4h7M2.5 8h11M2.5 12h5",
            Self::Check => "M3 8.5l3.2 3.2L13 5",
            Self::ChevronDown => "M4 6l4 4 4-4",
            Self::Columns => "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
            Self::Dark => "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z",
            Self::Delete => "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4",
            Self::Down => "M8 3v10M4.5 9.5L8 13l3.5-3.5",
            Self::Filter => "M2.5 3.5h11L9.5 8.5v4l-3 1.5V8.5z",
            Self::Fit => "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
            Self::Groups => {
                "M5 3a2 2 0 1 0 .1 0zM11.5 4a1.5 1.5 0 1 0 .1 0zM8.5 8.5a2.5 2.5 0 1 0 .1 0z"
            }
            Self::Help => "M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12v.6",
            Self::Lasso => {
                "M8 2.5c3.3 0 5.8 1.8 5.8 4.2S11.3 10.9 8 10.9 2.2 9.1 2.2 6.7 4.7 2.5 8 2.500zM5 10.300c-1 .9-1 2.300.2 2.6 1.300.3 1.6 1.200.8 2.100"
            }
            Self::Light => {
                "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1"
            }
            Self::Line => "M2.5 2.5v11h11M4.5 10.5l3-4 2.500 2.500 3.500-5",
            Self::Link => {
                "M6.5 9.5l3-3M7 4.8l1.6-1.6a2.9 2.9 0 0 1 4.2 4.2L11.2 9M9 11.2l-1.6 1.6a2.9 2.9 0 0 1-4.2-4.2L4.8 7"
            }
            Self::Look => {
                "M2.5 5h5M11.5 5h2M9.5 3.2a1.8 1.8 0 1 0 0 3.600 1.8 1.8 0 0 0 0-3.600zM2.5 11h2M8.5 11h5M6.500 9.200a1.8 1.8 0 1 0 0 3.600 1.8 1.8 0 0 0 0-3.600z"
            }
            Self::More => "M3.5 8h.1M8 8h.1M12.5 8h.1",
            Self::Nested => {
                "M6 3C4.5 3 4.5 4 4.5 5.5c0 1.5-.5 2.5-2 2.5 1.5 0 2 1 2 2.5 0 1.5 0 2.5 1.5 2.5M10 3c1.5 0 1.5 1 1.5 2.5 0 1.5.5 2.5 2 2.5-1.5 0-2 1-2 2.5 0 1.5 0 2.5-1.5 2.5"
            }
            Self::Number => "M6.5 2.5l-1 11M11 2.5l-1 11M3 5.8h10.5M2.5 10.2H13",
            Self::Offline => {
                "M4.5 12.5a3 3 0 0 1-.3-6 4 4 0 0 1 7.7-.6 3.3 3.3 0 0 1-.4 6.6M8 8v5.5M6 11.5l2 2 2-2"
            }
            Self::Open => "M2.5 12.5v-9h4l1.5 2h5.5v7z",
            Self::Pause => "M5.5 3v10M10.5 3v10",
            Self::Play => "M5 3l8 5-8 5z",
            Self::Redo => "M13 6.5H6a3.2 3.2 0 0 0 0 6.4h3M10.2 3.7L13 6.5l-2.8 2.8",
            Self::Refresh => "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
            Self::Rows => "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.7h11",
            Self::Scatter => "M2.5 2.5v11h11M5.5 10.5h.1M7.5 7h.1M9.5 8.8h.1M10.5 5h.1M12.5 6.5h.1",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3l3.2 3.2",
            Self::Select => {
                "M3 5.5V3h2.5M7 3h2M10.5 3H13v2.5M13 7v2M13 10.5V13h-2.5M9 13H7M5.5 13H3v-2.5M3 9V7"
            }
            Self::Shapes => "M2.5 13.5V9h3v4.5M6.5 13.5V3h3v10.5M10.5 13.5V6.5h3v7M1.5 13.5h13",
            Self::Side => "M2.5 3h11v10h-11zM6.5 3v10",
            Self::StepBack => "M11.5 3.500l-6 4.500 6 4.500zM4 3.500v9",
            Self::StepForward => "M4.500 3.500l6 4.500-6 4.500zM12 3.500v9",
            Self::System => "M2.5 3.5h11v7.5h-11zM6 13.5h4M8 11v2.5",
            Self::Table => "M2.5 3h11v10h-11zM2.5 6.5h11M7 6.5V13",
            Self::Text => "M3 12.5L6.3 4h.4L10 12.5M4.2 9.8h4.6M13 8v4.5M13 10a1.8 1.8 0 1 1-3.2 0",
            Self::Time => "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.2l2.2 1.5",
            Self::Undo => "M3 6.5h7a3.2 3.2 0 0 1 0 6.4H7M5.8 3.7L3 6.5l2.8 2.8",
            Self::Up => "M8 13V3M4.5 6.5L8 3l3.5 3.5",
            Self::Vector => "M5 2.5H3v11h2M11 2.5h2v11h-2M6 8h.1M8 8h.1M10 8h.1",
            Self::Views => "M2.5 2.5h5v5h-5zM9.5 2.5h4v5h-4zM2.5 9.5h5v4h-5zM9.5 9.5h4v4h-4z",
            Self::Warning => "M8 2.5l6 11H2zM8 6.5v3.3M8 11.6v.2",
        }
    }
}

/// What a kind is called where it is read out or explained.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => texts::columns::NUMBER,
        Kind::Category => texts::columns::CATEGORY,
        Kind::Time => texts::columns::TIME,
        Kind::Boolean => texts::columns::BOOLEAN,
        Kind::Text => texts::columns::TEXT,
        Kind::Vector => texts::columns::VECTOR,
        Kind::Nested => texts::columns::NESTED,
    }
}
