//! Times: how long ago, months.

pub const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
pub const NO_DATE: &str = "invalid date";
pub const JUST_NOW: &str = "just now";

pub fn years_ago(number: f64) -> String {
    ago(number, "year")
}

pub fn days_ago(number: f64) -> String {
    ago(number, "day")
}

pub fn hours_ago(number: f64) -> String {
    ago(number, "hour")
}

pub fn minutes_ago(number: f64) -> String {
    ago(number, "minute")
}

fn ago(number: f64, unit: &str) -> String {
    format!("{number} {unit}{} ago", if number == 1.0 { "" } else { "s" })
}
