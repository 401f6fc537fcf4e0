//! The interval that a drag along an axis makes: a new one, one of its ends, or the whole
//! of it moved. Positions are in data units, within a domain.

/// What a press took hold of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    Low,
    High,
    /// Both ends together.
    Middle,
    /// A new interval from here.
    Fresh,
}

/// Nearer than this to an end, in pixels, a press takes the end.
const REACH: f64 = 7.0;

/// What a press at `x` takes hold of, given where the interval's ends are, in pixels.
pub fn grip(x: f64, ends: Option<[f64; 2]>) -> Grip {
    let Some([low, high]) = ends else { return Grip::Fresh };
    let (to_low, to_high) = ((x - low).abs(), (x - high).abs());
    // Of two ends within reach the nearer one, and outside the one on that side.
    if to_low <= REACH || to_high <= REACH {
        return if to_low < to_high || (to_low == to_high && x <= low) {
            Grip::Low
        } else {
            Grip::High
        };
    }
    if low < x && x < high { Grip::Middle } else { Grip::Fresh }
}

/// The interval after a drag from `from` to `to`. Ends may cross; a whole one keeps its
/// width at the domain's edges.
pub fn dragged(grip: Grip, before: [f64; 2], from: f64, to: f64, domain: [f64; 2]) -> [f64; 2] {
    let [least, most] = domain;
    let within = |position: f64| position.clamp(least.min(most), most.max(least));
    let [low, high] = before;
    let ends = match grip {
        Grip::Low => [within(low + (to - from)), high],
        Grip::High => [low, within(high + (to - from))],
        Grip::Middle => {
            // An interval that begins outside of the domain may only come in.
            let by = (to - from).clamp((least - low).min(0.0), (most - high).max(0.0));
            [low + by, high + by]
        }
        Grip::Fresh => [within(from), within(to)],
    };
    if ends[0] <= ends[1] { ends } else { [ends[1], ends[0]] }
}

/// Whether an interval leaves nothing of the domain out, and so says nothing.
pub fn is_everything(interval: [f64; 2], domain: [f64; 2]) -> bool {
    interval[0] <= domain[0] && interval[1] >= domain[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_takes_what_is_nearest() {
        let cases = [
            (50.0, None, Grip::Fresh),
            (50.0, Some([100.0, 200.0]), Grip::Fresh),
            (95.0, Some([100.0, 200.0]), Grip::Low),
            (106.0, Some([100.0, 200.0]), Grip::Low),
            (150.0, Some([100.0, 200.0]), Grip::Middle),
            (195.0, Some([100.0, 200.0]), Grip::High),
            (99.0, Some([100.0, 100.0]), Grip::Low),
            (101.0, Some([100.0, 100.0]), Grip::High),
            (103.0, Some([100.0, 104.0]), Grip::High),
        ];
        for (x, ends, expected) in cases {
            assert_eq!(grip(x, ends), expected, "{x} {ends:?}");
        }
    }

    #[test]
    fn drags_stay_in_the_domain_and_keep_their_order() {
        let domain = [0.0, 100.0];
        let cases = [
            (Grip::Fresh, [0.0, 0.0], 30.0, 10.0, [10.0, 30.0]),
            (Grip::Fresh, [0.0, 0.0], -5.0, 110.0, [0.0, 100.0]),
            (Grip::Low, [20.0, 40.0], 20.0, 30.0, [30.0, 40.0]),
            (Grip::Low, [20.0, 40.0], 20.0, 60.0, [40.0, 60.0]),
            (Grip::High, [20.0, 40.0], 41.0, 200.0, [20.0, 100.0]),
            (Grip::Middle, [20.0, 40.0], 30.0, 95.0, [80.0, 100.0]),
            (Grip::Middle, [20.0, 40.0], 30.0, -95.0, [0.0, 20.0]),
            (Grip::Middle, [-20.0, 40.0], 30.0, 10.0, [-20.0, 40.0]),
        ];
        for (grip, before, from, to, after) in cases {
            assert_eq!(dragged(grip, before, from, to, domain), after, "{grip:?} {from} {to}");
        }
        assert!(is_everything([0.0, 100.0], domain));
        assert!(!is_everything([0.0, 99.0], domain));
    }
}
