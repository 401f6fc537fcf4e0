//! Steps of time, written as ISO 8601 durations.

/// A step of time: of fixed length, or of months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Weeks alone count from a Monday.
    Nanos {
        nanos: i128,
        is_weeks: bool,
    },
    Months(i64),
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;

impl Step {
    /// `PnYnM`, or `PnWnDTnHnMnS` with a fraction of seconds if wanted; above zero, and
    /// not of both sorts, since months differ in length.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix('P')?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return None,
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        let [years, months, weeks, days] = parts(date, ['Y', 'M', 'W', 'D'])?;
        let [hours, minutes, seconds] = parts(time, ['H', 'M', 'S'])?;
        let whole = |part: Option<&str>| match part {
            None => Some(0),
            Some(digits) => digits.parse::<u32>().ok().map(i128::from),
        };
        let months = whole(years)? * 12 + whole(months)?;
        let days = whole(weeks)? * 7 + whole(days)?;
        let minutes = (days * 24 + whole(hours)?) * 60 + whole(minutes)?;
        let nanos = minutes * 60 * NANOS_PER_SECOND + nanos_from_seconds(seconds)?;
        match (months, nanos) {
            (0, 1..) => {
                let is_weeks = weeks.is_some() && date.ends_with('W') && time.is_empty();
                Some(Self::Nanos { nanos, is_weeks })
            }
            (1.., 0) => i64::try_from(months).ok().map(Self::Months),
            _ => None,
        }
    }
}

/// The digits before each of the letters, which come in order, each at most once.
fn parts<const N: usize>(text: &str, letters: [char; N]) -> Option<[Option<&str>; N]> {
    let mut rest = text;
    let parts = letters.map(|letter| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let after = rest.get(end..).and_then(|after| after.strip_prefix(letter))?;
        let digits = rest.get(..end).filter(|digits| !digits.is_empty());
        rest = after;
        // No digits are no part; the parse of an empty number refuses them.
        Some(digits.unwrap_or("none"))
    });
    rest.is_empty().then_some(parts)
}

fn nanos_from_seconds(part: Option<&str>) -> Option<i128> {
    let Some(text) = part else { return Some(0) };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse::<u32>().ok()?;
    Some(i128::from(whole.parse::<u32>().ok()?) * NANOS_PER_SECOND + i128::from(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let nanos = |seconds: i128| {
            Some(Step::Nanos { nanos: seconds * NANOS_PER_SECOND, is_weeks: false })
        };
        assert_eq!(Step::parse("PT1H"), nanos(3_600));
        assert_eq!(Step::parse("P1DT12H"), nanos(36 * 3_600));
        assert_eq!(Step::parse("PT90M"), nanos(5_400));
        assert_eq!(
            Step::parse("PT0.25S"),
            Some(Step::Nanos { nanos: 250_000_000, is_weeks: false })
        );
        let weeks = Step::Nanos { nanos: 14 * 86_400 * NANOS_PER_SECOND, is_weeks: true };
        assert_eq!(Step::parse("P2W"), Some(weeks));
        assert_eq!(Step::parse("P1M"), Some(Step::Months(1)));
        assert_eq!(Step::parse("P1Y6M"), Some(Step::Months(18)));
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1H",
            "PT1D",
            "P1H",
            "P1M1D",
            "P0D",
            "P-1D",
            "PT1M1H",
            "P1.5D",
            "PT1.S",
            "PT.5S",
            "PT0.0000000001S",
            "PH",
            "P1DT",
            "PT99999999999H",
            "p1d",
            "P1Y0D1H",
        ] {
            assert_eq!(Step::parse(text), None, "{text}");
        }
    }
}
