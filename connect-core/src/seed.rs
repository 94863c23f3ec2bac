//! Many generators from one seed: each operation, key or request has its own, so that none disturbs the others.

/// 2^64 divided by the golden ratio, odd. Multiples of it are a Weyl sequence: neighbouring numbers get unrelated seeds,
/// and no two numbers the same.
const WEYL: u64 = 0x9E37_79B9_7F4A_7C15;

/// The generator of this number: always the same for one seed.
pub(crate) fn generator(seed: u64, number: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed ^ number.wrapping_mul(WEYL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_generator_and_shares_it_with_no_neighbour() {
        let first = |number| generator(7, number).u64(..);
        assert_eq!(first(0), fastrand::Rng::with_seed(7).u64(..));
        for number in 0..1_000 {
            assert_eq!(first(number), first(number));
            assert_ne!(first(number), first(number + 1));
        }
    }
}
