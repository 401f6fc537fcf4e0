//! Short lists in the order of a number of theirs. Sorting proper is compiled once, for
//! pairs of a number and a place: compiled for every type that is listed somewhere, it
//! would be a noticeable part of what the browser loads.

/// The items in ascending order of a number; equal ones keep their order, NaN comes last.
pub fn in_order_of<T>(items: impl IntoIterator<Item = T>, number: impl Fn(&T) -> f64) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let numbers = items.iter().map(|item| item.as_ref().map_or(f64::NAN, &number));
    let order = order_of(numbers.collect());
    order.into_iter().filter_map(|place| items.get_mut(place).and_then(Option::take)).collect()
}

fn order_of(numbers: Vec<f64>) -> Vec<usize> {
    let mut placed: Vec<(f64, usize)> = numbers.into_iter().zip(0..).collect();
    placed.sort_unstable_by(|(a, a_place), (b, b_place)| {
        a.total_cmp(b).then_with(|| a_place.cmp(b_place))
    });
    placed.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::in_order_of;

    #[test]
    fn equal_numbers_keep_their_order() {
        let words = ["four", "a", "six", "b", "to"];
        assert_eq!(in_order_of(words, |word| word.len() as f64), ["a", "b", "to", "six", "four"]);
        assert_eq!(in_order_of([f64::NAN, 2.0, -1.0], |n| *n)[..2], [-1.0, 2.0]);
    }
}
