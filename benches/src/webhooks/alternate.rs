//! Two sides measured in turn.

use crate::Failure;
use crate::spread::Spread;

/// What both sides took in each round.
pub(crate) struct Rounds(Vec<(f64, f64)>);

impl Rounds {
    /// Measures both sides as often; who goes first alternates too.
    pub(crate) fn measure(
        rounds: usize,
        mut ours: impl FnMut() -> Result<f64, Failure>,
        mut theirs: impl FnMut() -> Result<f64, Failure>,
    ) -> Result<Self, Failure> {
        let round = |round| {
            if round % 2 == 0 {
                let first = ours()?;
                Ok((first, theirs()?))
            } else {
                let first = theirs()?;
                Ok((ours()?, first))
            }
        };
        (0..rounds).map(round).collect::<Result<_, Failure>>().map(Self)
    }

    pub(crate) fn ours(&self) -> Spread {
        self.spread(|ours, _| ours)
    }

    pub(crate) fn theirs(&self) -> Spread {
        self.spread(|_, theirs| theirs)
    }

    pub(crate) fn ratio(&self) -> Spread {
        self.spread(|ours, theirs| ours / theirs)
    }

    pub(crate) fn difference(&self) -> Spread {
        self.spread(|ours, theirs| ours - theirs)
    }

    fn spread(&self, of: impl Fn(f64, f64) -> f64) -> Spread {
        Spread::of(self.0.iter().map(|(ours, theirs)| of(*ours, *theirs)))
    }
}
