//! Median and spread of repeated measurements.

use std::fmt;

/// The median, with the values a tenth of the rounds lie below and above.
///
/// Shows itself as `median (low..high)`, without decimals.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Self { low: values[last / 10], median: values[values.len() / 2], high: values[last - last / 10] }
    }

    /// The distance from low to high as a share of the median, in percent.
    pub(crate) fn percent(self) -> f64 {
        100.0 * (self.high - self.low) / self.median
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = self;
        // Passes `{:.2}` on; without a precision, whole numbers.
        let digits = f.precision().unwrap_or(0);
        write!(f, "{median:.digits$} ({low:.digits$}..{high:.digits$})")
    }
}
