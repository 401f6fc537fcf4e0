//! Short lists. The standard sorts are made for long ones, and are kilobytes of program for
//! each type they sort, which everybody loads.

/// Sorts by a key, equals in the order they are in: by insertion, so for hundreds at most.
pub fn sort_few<T, K: PartialOrd>(items: &mut [T], key: impl Fn(&T) -> K) {
    for end in 1..items.len() {
        let mut at = end;
        while let Some([before, item]) = at.checked_sub(1).and_then(|last| items.get_mut(last..=at))
            && key(item) < key(before)
        {
            std::mem::swap(before, item);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_standard_sort_does_it() {
        for many in 0..40_usize {
            let items: Vec<(usize, usize)> = (0..many).map(|at| (at * 7919 % 11, at)).collect();
            let (mut few, mut expected) = (items.clone(), items);
            sort_few(&mut few, |(key, _)| std::cmp::Reverse(*key));
            expected.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
            assert_eq!(few, expected);
        }
    }
}
