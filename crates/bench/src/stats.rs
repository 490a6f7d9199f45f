//! The few statistics that the reports use.

/// Summary of the times of one program under one engine, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Middle value; the mean of the two middle ones for an even count.
    pub median: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

impl Summary {
    /// Summarizes samples; `None` when there are none or one is not finite.
    #[must_use]
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        if sorted.is_empty() || sorted.iter().any(|x| !x.is_finite()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let median = if n % 2 == 1 {
            sorted[n / 2]
        } else {
            f64::midpoint(sorted[n / 2 - 1], sorted[n / 2])
        };
        Some(Self {
            median,
            min: sorted[0],
            max: sorted[n - 1],
        })
    }

    /// Width of the range relative to the median, `(max - min) / median`; 0 for a median of 0.
    #[must_use]
    pub fn spread(&self) -> f64 {
        if self.median == 0.0 {
            0.0
        } else {
            (self.max - self.min) / self.median
        }
    }
}

/// Geometric mean, the right mean for ratios; `None` when there are no values or one is
/// not a positive finite number.
#[must_use]
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|x| !(x.is_finite() && *x > 0.0)) {
        return None;
    }
    #[allow(
        clippy::cast_precision_loss,
        reason = "a count of programs is far below 2^53"
    )]
    let n = values.len() as f64;
    Some((values.iter().map(|x| x.ln()).sum::<f64>() / n).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn median_of_odd_count_is_the_middle_value() {
        let s = Summary::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            s,
            Summary {
                median: 2.0,
                min: 1.0,
                max: 3.0
            }
        );
    }

    #[test]
    fn median_of_even_count_is_between_the_middle_values() {
        let s = Summary::of(&[4.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!(
            s,
            Summary {
                median: 3.0,
                min: 1.0,
                max: 10.0
            }
        );
        assert!(close(s.spread(), 3.0));
    }

    #[test]
    fn one_sample_is_its_own_summary() {
        let s = Summary::of(&[0.5]).unwrap();
        assert_eq!(
            s,
            Summary {
                median: 0.5,
                min: 0.5,
                max: 0.5
            }
        );
        assert!(close(s.spread(), 0.0));
    }

    #[test]
    fn one_outlier_does_not_move_the_median() {
        assert!(close(Summary::of(&[1.0, 1.0, 100.0]).unwrap().median, 1.0));
    }

    #[test]
    fn no_summary_without_usable_samples() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[1.0, f64::NAN]), None);
        assert_eq!(Summary::of(&[1.0, f64::INFINITY]), None);
    }

    #[test]
    fn geometric_mean_of_reciprocals_is_one() {
        assert!(close(geometric_mean(&[4.0, 0.25]).unwrap(), 1.0));
        assert!(close(geometric_mean(&[1.0, 8.0, 27.0]).unwrap(), 6.0));
    }

    #[test]
    fn geometric_mean_refuses_what_has_none() {
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(geometric_mean(&[1.0, 0.0]), None);
        assert_eq!(geometric_mean(&[1.0, -2.0]), None);
        assert_eq!(geometric_mean(&[1.0, f64::NAN]), None);
    }
}
