//! The random words of many chains: the blocks of as many `ChaCha8` streams at one block counter.
//!
//! Word for word what `rand_chacha::ChaCha8Rng` gives with `set_stream(chain)`, in the layout that lanes read: all chains'
//! first words, then all their second ones.

use super::batch::{CHAINS, STEPS};
use super::lanes::{Kernel, Lanes};

/// "expand 32-byte k", the first four words of every block.
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Words in a block.
pub(super) const WORDS: usize = 16;
const _: () = assert!(STEPS.is_multiple_of(WORDS), "a block of steps takes whole blocks of words");

/// The streams of a batch: one key, a number each.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    key: [u32; 8],
    low: [u32; CHAINS],
    high: [u32; CHAINS],
}

impl Streams {
    /// The streams `first`, `first` + 1, … (modulo 2⁶⁴) of a key.
    pub(super) fn new(key: [u8; 32], first: u64) -> Self {
        let number = |lane: usize| first.wrapping_add(lane as u64);
        let word = |i: usize| u32::from_le_bytes([key[4 * i], key[4 * i + 1], key[4 * i + 2], key[4 * i + 3]]);
        Self {
            key: std::array::from_fn(word),
            low: std::array::from_fn(|lane| number(lane) as u32),
            high: std::array::from_fn(|lane| (number(lane) >> 32) as u32),
        }
    }
}

/// Writes one block of every stream.
pub(super) struct Blocks<'a> {
    pub(super) streams: &'a Streams,
    pub(super) counter: u64,
    pub(super) words: &'a mut [[u32; CHAINS]; WORDS],
}

impl Kernel for Blocks<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { streams, counter, words } = self;
        for lane in (0..CHAINS).step_by(V::WORDS) {
            // SAFETY: the caller vouches for the instructions; CHAINS is a multiple of every vector's length, so that
            // the vector from `lane` on lies within every row.
            unsafe {
                let given = |word: u32| V::splat_word(word);
                let initial: [V::Words; WORDS] = [
                    given(CONSTANTS[0]),
                    given(CONSTANTS[1]),
                    given(CONSTANTS[2]),
                    given(CONSTANTS[3]),
                    given(streams.key[0]),
                    given(streams.key[1]),
                    given(streams.key[2]),
                    given(streams.key[3]),
                    given(streams.key[4]),
                    given(streams.key[5]),
                    given(streams.key[6]),
                    given(streams.key[7]),
                    given(counter as u32),
                    given((counter >> 32) as u32),
                    V::load_words(streams.low.as_ptr().add(lane)),
                    V::load_words(streams.high.as_ptr().add(lane)),
                ];
                let mut x = initial;
                for _ in 0..4 {
                    double_round::<V>(&mut x);
                }
                // Spelled out: a loop over the places would keep the state in memory.
                macro_rules! store {
                    ($($place:literal)*) => {
                        $(V::store_words(V::add_words(x[$place], initial[$place]), words[$place].as_mut_ptr().add(lane));)*
                    };
                }
                store!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            }
        }
    }
}

/// A round over the columns, and one over the diagonals.
#[inline(always)]
unsafe fn double_round<V: Lanes>(x: &mut [V::Words; WORDS]) {
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        quarter_round::<V, 0, 4, 8, 12>(x);
        quarter_round::<V, 1, 5, 9, 13>(x);
        quarter_round::<V, 2, 6, 10, 14>(x);
        quarter_round::<V, 3, 7, 11, 15>(x);
        quarter_round::<V, 0, 5, 10, 15>(x);
        quarter_round::<V, 1, 6, 11, 12>(x);
        quarter_round::<V, 2, 7, 8, 13>(x);
        quarter_round::<V, 3, 4, 9, 14>(x);
    }
}

#[inline(always)]
unsafe fn quarter_round<V: Lanes, const A: usize, const B: usize, const C: usize, const D: usize>(
    x: &mut [V::Words; WORDS],
) {
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        x[A] = V::add_words(x[A], x[B]);
        x[D] = V::xor_rotate::<16, 16>(x[D], x[A]);
        x[C] = V::add_words(x[C], x[D]);
        x[B] = V::xor_rotate::<12, 20>(x[B], x[C]);
        x[A] = V::add_words(x[A], x[B]);
        x[D] = V::xor_rotate::<8, 24>(x[D], x[A]);
        x[C] = V::add_words(x[C], x[D]);
        x[B] = V::xor_rotate::<7, 25>(x[B], x[C]);
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::Seed;
    use crate::ensemble::lanes::InstructionSet;

    #[test]
    fn words_are_those_of_rand_chacha() {
        // Streams beyond 2³², and a counter that carries into its upper word.
        for (first, counter) in
            [(0, 0), (u64::from(u32::MAX) - 20, 5), (17, u64::from(u32::MAX)), (u64::MAX - 3, 1 << 32)]
        {
            let streams = Streams::new(Seed(3).key("chain"), first);
            for set in InstructionSet::available() {
                let mut words = [[0; CHAINS]; WORDS];
                set.run(Blocks { streams: &streams, counter, words: &mut words });
                for lane in 0..CHAINS {
                    let mut stream = Seed(3).stream("chain", first.wrapping_add(lane as u64));
                    stream.set_word_pos(u128::from(counter) * 16);
                    for row in &words {
                        assert_eq!(row[lane], stream.next_u32(), "{} {first} {counter}", set.name());
                    }
                }
            }
        }
    }
}
