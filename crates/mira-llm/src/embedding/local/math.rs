//! The element-wise mathematics of a transformer.
//!
//! Everything works on rows of `f32` in loops without branches, and sums run in [`LANES`] lanes, so that the
//! compiler can use vector instructions, which it may not where a loop fixes the order of the additions.

use std::f32::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

use ndarray::Array2;

const LANES: usize = 8;

/// Does something to each row of a matrix.
pub(super) fn each_row(matrix: &mut Array2<f32>, mut change: impl FnMut(&mut [f32])) {
    for mut row in matrix.rows_mut() {
        // Rows of a matrix in standard layout, as all here are, are slices.
        if let Some(row) = row.as_slice_mut() {
            change(row);
        }
    }
}

/// The Gaussian error linear unit x·Φ(x), within 3e-7 of |x|.
///
/// The error function is formula 7.1.28 of Abramowitz and Stegun, Handbook of Mathematical Functions (1964). It
/// needs no exponential.
pub(super) fn gelu(x: f32) -> f32 {
    let z = x.abs() * FRAC_1_SQRT_2;
    let polynomial = [
        0.000_043_063_8,
        0.000_276_567_2,
        0.000_152_014_3,
        0.009_270_527,
        0.042_282_01,
        0.070_523_08,
        1.0,
    ]
    .into_iter()
    .fold(0.0, |sum: f32, coefficient| sum * z + coefficient);
    let squared = polynomial * polynomial;
    let fourth = squared * squared;
    let eighth = fourth * fourth;
    let complement = 1.0 / (eighth * eighth);
    x.max(0.0) - 0.5 * x.abs() * complement
}

/// Turns a row of scores into weights that are positive and sum to one.
pub(super) fn softmax(row: &mut [f32]) {
    let largest = reduce(row, f32::NEG_INFINITY, |x| x, |a, b| if a > b { a } else { b });
    for x in &mut *row {
        *x = exp(*x - largest);
    }
    let scale = 1.0 / sum(row, |x| x);
    for x in row {
        *x *= scale;
    }
}

/// Shifts and scales a row to mean 0 and variance 1, then by the learnt `weight` and `bias`.
pub(super) fn layer_norm(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let count = count(row.len());
    let mean = sum(row, |x| x) / count;
    let variance = sum(row, |x| (x - mean) * (x - mean)) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((x, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
        *x = (*x - mean) * scale * weight + bias;
    }
}

/// Scales a row to length 1. A row of zeros has no direction and becomes one of NaN.
pub(super) fn normalize(row: &mut [f32]) {
    let scale = 1.0 / sum(row, |x| x * x).sqrt();
    for x in row {
        *x *= scale;
    }
}

/// e to the power of `x`, for `x` up to 0: a power of two times the Taylor polynomial of degree 6 of what is left.
fn exp(x: f32) -> f32 {
    /// Adding this rounds to a whole number, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// Below this the result is not a normal number any more.
    const MIN: f32 = -87.0;
    let x = if x > MIN { x } else { MIN };
    let shifted = x * LOG2_E + ROUND;
    let left = x - (shifted - ROUND) * LN_2;
    let polynomial = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0]
        .into_iter()
        .fold(0.0, |sum: f32, coefficient| sum * left + coefficient);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    polynomial * power
}

fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    reduce(row, 0.0, term, |a, b| a + b)
}

fn reduce(row: &[f32], start: f32, term: impl Fn(f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = join(*lane, term(*x));
        }
    }
    let lanes = lanes.into_iter().fold(start, &join);
    rest.iter().fold(lanes, |total, x| join(total, term(*x)))
}

#[expect(clippy::cast_precision_loss, reason = "the length of a row is far below 2^24")]
pub(super) fn count(length: usize) -> f32 {
    length as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_follows_the_error_function() {
        // Values of the error function.
        for (z, erf) in [
            (0.0_f32, 0.0_f32),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (2.0, 0.995_322_3),
            (3.0, 0.999_977_9),
            (1e9, 1.0),
        ] {
            for (z, erf) in [(z, erf), (-z, -erf)] {
                let x = z * std::f32::consts::SQRT_2;
                let expected = 0.5 * x * (1.0 + erf);
                let actual = gelu(x);
                assert!(
                    (actual - expected).abs() <= 5e-7 * (1.0 + x.abs()),
                    "{x}: {actual} for {expected}"
                );
            }
        }
    }

    #[test]
    fn exponentials_are_as_precise_as_the_format() {
        for step in 0..=8_700 {
            let x = -f32::from(u16::try_from(step).unwrap()) / 100.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 1e-5, "exp({x}) is off by {error}");
        }
    }

    #[test]
    fn rows_of_any_length_are_normalised() {
        for length in [1_u16, 7, 8, 30] {
            let row: Vec<f32> = (0..length).map(|i| f32::from(i * 37 % 11) - 200.0).collect();
            let length = usize::from(length);

            let mut weights = row.clone();
            softmax(&mut weights);
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{weights:?}");

            let mut normed = row.clone();
            layer_norm(&mut normed, &vec![1.0; length], &vec![3.0; length], 1e-12);
            let mean = normed.iter().sum::<f32>() / count(length);
            assert!((mean - 3.0).abs() < 1e-4, "{normed:?}");

            let mut unit = row;
            normalize(&mut unit);
            assert!(
                (unit.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6,
                "{unit:?}"
            );
        }
    }
}
