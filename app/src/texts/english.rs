//! The texts in English, by the area of the page that they are in.

pub mod address;
pub mod charts;
pub mod clauses;
pub mod columns;
pub mod commands;
pub mod copies;
pub mod counts;
pub mod drawing;
pub mod embed;
pub mod encode;
pub mod figure;
pub mod filters;
pub mod finding;
pub mod frame;
pub mod grid;
pub mod groups;
pub mod help;
pub mod loading;
pub mod look;
pub mod mapping;
pub mod notices;
pub mod numbers;
pub mod offline;
pub mod player;
pub mod record;
pub mod refusals;
pub mod rows;
pub mod saved;
pub mod scatter;
pub mod similar;
pub mod start;
pub mod status;
pub mod storage;
pub mod tables;
pub mod time;
pub mod toolbar;
pub mod typed;
pub mod values;
pub mod versions;
pub mod views;

/// As the document states it, for screen readers, hyphenation and the browser's own menus.
pub const LANGUAGE: &str = "en";
pub const DIRECTION: &str = "ltr";
