//! Named random streams from one root seed.
//!
//! A stream is named by what it is for (`"chain"` 17, `"shuffle"` 3, `"direction"` 5), never by the order of calls, so
//! no result depends on the number of threads or on what else ran. The purpose selects a key, the index selects one of
//! the 2⁶⁴ streams of `ChaCha8` under that key.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng};
use serde::{Deserialize, Serialize};

/// The generator behind every stream.
pub type Stream = ChaCha8Rng;

/// A root seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The 256-bit `ChaCha8` key that belongs to a purpose.
    ///
    /// Streams of one purpose share this key and differ in the stream number, so that SIMD lanes can run many of them
    /// at one block counter.
    pub fn key(self, purpose: &str) -> [u8; 32] {
        let mut root = [0u8; 32];
        root[..8].copy_from_slice(&self.0.to_le_bytes());
        let mut rng = ChaCha20Rng::from_seed(root);
        rng.set_stream(fnv1a(purpose));
        let mut key = [0u8; 32];
        rng.fill_bytes(&mut key);
        key
    }

    /// Stream number `index` of a purpose.
    pub fn stream(self, purpose: &str, index: u64) -> Stream {
        let mut rng = ChaCha8Rng::from_seed(self.key(purpose));
        rng.set_stream(index);
        rng
    }

    /// A root seed for an independent repetition, such as run 3 of 5.
    pub fn child(self, purpose: &str, index: u64) -> Self {
        Self(self.stream(purpose, index).next_u64())
    }
}

/// A standard normal number, by Marsaglia's polar method: two uniforms in, the first of the pair out.
///
/// The logarithm comes from `libm`, so the bits are the same on every platform.
pub fn standard_normal(rng: &mut Stream) -> f64 {
    loop {
        let x = 2.0 * rng.random::<f64>() - 1.0;
        let y = 2.0 * rng.random::<f64>() - 1.0;
        let s = x * x + y * y;
        if s > 0.0 && s < 1.0 {
            return x * (-2.0 * libm::log(s) / s).sqrt();
        }
    }
}

/// The 64-bit Fowler–Noll–Vo hash (FNV-1a), stable across platforms and releases.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_by_name_and_differ_between_names() {
        let first = |seed: u64, purpose: &str, index| Seed(seed).stream(purpose, index).next_u64();
        assert_eq!(first(1, "chain", 17), first(1, "chain", 17));
        let different = [first(1, "chain", 17), first(1, "chain", 18), first(1, "shuffle", 17), first(2, "chain", 17)];
        for (i, a) in different.iter().enumerate() {
            assert!(different[..i].iter().all(|b| a != b));
        }
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        // 10⁵ draws: the mean leaves ±6/√n, and the second moment ±6·√2/√n, with probability below 3e-9.
        let mut rng = Seed(0).stream("normal", 0);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| standard_normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let second = draws.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 6.0 / f64::from(n).sqrt(), "{mean}");
        assert!((second - 1.0).abs() < 6.0 * (2.0 / f64::from(n)).sqrt(), "{second}");
    }
}
