//! Sign patterns as bits: word i holds sign i of 64 patterns.

use rand::Rng;

use super::LANES;
use crate::seed::Stream;

/// The stream of the random patterns; its index is the block of 64.
pub(super) const PURPOSE: &str = "theorem 1 signs";

/// Signs that run through all their patterns within one block.
const WITHIN_BLOCK: usize = LANES.trailing_zeros() as usize;

/// 64 random patterns; sign i is positive with probability `plus[i]`.
pub(super) fn draw(rng: &mut Stream, plus: &[f64], words: &mut [u64]) {
    for (word, &q) in words.iter_mut().zip(plus) {
        *word = bernoulli(rng, q);
    }
}

/// 64 independent bits, each 1 with probability q, of which digits below 2⁻⁶⁴ are dropped.
///
/// From the last binary digit of q to the first, a random bit decides between the digit and what came of those after it. So
/// a fair sign costs one random bit, and none costs more than 64.
fn bernoulli(rng: &mut Stream, q: f64) -> u64 {
    if q >= 1.0 {
        return u64::MAX;
    }
    // 2⁶⁴·q is exact: only the exponent changes.
    let digits = (q * 18_446_744_073_709_551_616.0) as u64;
    (digits.trailing_zeros()..u64::BITS).fold(0, |word, digit| {
        let random = rng.next_u64();
        if digits >> digit & 1 == 1 { word | random } else { word & random }
    })
}

/// Patterns 64·block … 64·block + 63, where sign i of pattern n is bit i of n.
pub(super) fn count(block: u64, words: &mut [u64]) {
    for (i, word) in words.iter_mut().enumerate() {
        *word = match i.checked_sub(WITHIN_BLOCK) {
            None => (0..LANES).filter(|lane| lane >> i & 1 == 1).fold(0, |word, lane| word | 1 << lane),
            Some(bit) if block >> bit & 1 == 1 => u64::MAX,
            Some(_) => 0,
        };
    }
}

/// The probabilities of all patterns, in the order of [`count`].
pub(super) fn probabilities(plus: &[f64]) -> Vec<f64> {
    plus.iter().fold(vec![1.0], |below, &q| {
        let with = |factor: f64| below.iter().map(move |probability| probability * factor);
        with(1.0 - q).chain(with(q)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn counting_gives_every_number_in_binary() {
        let mut words = [0; 9];
        for block in 0..8 {
            count(block, &mut words);
            for lane in 0..64 {
                let number = words.iter().enumerate().fold(0, |number, (i, word)| number | (word >> lane & 1) << i);
                assert_eq!(number, 64 * block + lane);
            }
        }
    }

    #[test]
    fn probabilities_belong_to_the_numbers() {
        assert_eq!(probabilities(&[0.25, 1.0]), [0.0, 0.0, 0.75, 0.25]);
        assert_eq!(probabilities(&[0.5; 11]), vec![1.0 / 2048.0; 2048]);
    }

    #[test]
    fn bits_follow_their_probability() {
        // 64,000 bits each: a count leaves ±6 standard deviations with probability 2e-9.
        for (index, q) in [0.5, 0.25, 0.75, 0.3, 0.999, 1e-3, 1.0 / 3.0].into_iter().enumerate() {
            let mut rng = Seed(4).stream(PURPOSE, index as u64);
            let ones: u32 = (0..1_000).map(|_| bernoulli(&mut rng, q).count_ones()).sum();
            let (mean, deviation) = (64_000.0 * q, (64_000.0 * q * (1.0 - q)).sqrt());
            assert!((f64::from(ones) - mean).abs() < 6.0 * deviation, "{q}: {ones}");
        }
        let mut rng = Seed(4).stream(PURPOSE, 99);
        assert_eq!([0.0, 1.0, f64::MIN_POSITIVE].map(|q| bernoulli(&mut rng, q)), [0, u64::MAX, 0]);
    }

    #[test]
    fn fair_signs_are_the_words_of_the_stream() {
        let mut words = [0; 100];
        draw(&mut Seed(1).stream(PURPOSE, 7), &[0.5; 100], &mut words);
        let mut rng = Seed(1).stream(PURPOSE, 7);
        assert_eq!(words, std::array::from_fn(|_| rng.next_u64()));
    }
}
