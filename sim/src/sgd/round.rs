//! Rounds of oscillation between the two sides (Section 5.1).

/// One finished round: from the iterate that comes from the sharp side (w < 0) to the flat side (w ≥ 0), to the last
/// iterate before the next such one.
///
/// It has T + 1 iterates w₀ … w_T, at least one on each side, so T ≥ 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// The sharp iterate before the round.
    pub before: f64,
    /// w₀, the first iterate.
    pub start: f64,
    /// w₀ + … + w_T.
    pub sum: f64,
    /// T + 1, the number of iterates.
    pub iterates: u64,
    /// How many of them are on the sharp side.
    pub sharp: u64,
}

impl Round {
    /// The average iterate, sum/(T + 1).
    pub fn mean(&self) -> f64 {
        self.sum / self.iterates as f64
    }

    /// The paper's normalisation, sum/T: T + 1 terms divided by T.
    pub fn mean_as_printed(&self) -> f64 {
        self.sum / (self.iterates - 1) as f64
    }

    /// Whether the round is prepared: the sharp iterate before it lies in [−D, 0), D = η(a₊ + ν).
    pub fn is_prepared(&self, reach: f64) -> bool {
        (-reach..0.0).contains(&self.before)
    }
}

/// Cuts a stream of iterates into rounds.
///
/// Iterates before the first crossing from the sharp to the flat side belong to no round, and neither does a round that
/// the stream ends in.
#[derive(Debug, Clone, Default)]
pub struct Rounds {
    /// The last iterate seen; 0, which is no sharp iterate, before the first.
    previous: f64,
    current: Option<Round>,
}

impl Rounds {
    /// A cutter that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The round that the last iterate lies in, as far as it has come.
    pub fn current(&self) -> Option<&Round> {
        self.current.as_ref()
    }

    /// Takes the next iterate, and returns the round that ended just before it.
    #[inline]
    pub fn push(&mut self, point: f64) -> Option<Round> {
        let before = std::mem::replace(&mut self.previous, point);
        if before < 0.0 && point >= 0.0 {
            let round = Round { before, start: point, sum: point, iterates: 1, sharp: 0 };
            return self.current.replace(round);
        }
        if let Some(round) = &mut self.current {
            round.sum += point;
            round.iterates += 1;
            round.sharp += u64::from(point < 0.0);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(points: &[f64]) -> Vec<Round> {
        let mut cutter = Rounds::new();
        points.iter().filter_map(|&w| cutter.push(w)).collect()
    }

    #[test]
    fn rounds_start_at_crossings_and_end_before_the_next() {
        let seen = rounds(&[5.0, -1.0, 2.0, 1.0, -0.5, -0.25, 0.0, -3.0, 7.0, 1.0, -2.0]);
        let wanted = [
            Round { before: -1.0, start: 2.0, sum: 2.25, iterates: 4, sharp: 2 },
            Round { before: -0.25, start: 0.0, sum: -3.0, iterates: 2, sharp: 1 },
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn both_normalisations_differ_by_one_in_the_count() {
        let round = Round { before: -1.0, start: 0.9, sum: -0.1, iterates: 3, sharp: 1 };
        assert_eq!(round.mean(), -0.1 / 3.0);
        assert_eq!(round.mean_as_printed(), -0.05);
        assert!(round.is_prepared(1.0));
        assert!(!round.is_prepared(0.5));
    }

    #[test]
    fn a_stream_without_a_crossing_has_no_round() {
        assert!(rounds(&[3.0, 2.0, -1.0, -2.0]).is_empty());
    }
}
