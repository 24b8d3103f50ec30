//! The product of a vector and a kept one, which is all the work of an exact search.

/// Makes a vector fit for [`dot`].
pub(super) fn scale(vector: &[f32]) -> Vec<f32> {
    vector.iter().map(|number| number * 2.0_f32.powi(112)).collect()
}

/// The product of a vector made fit by [`scale`] and rounded numbers.
///
/// The bits of a float16 moved to their places in a float32 give its value times 2^-112, for which the other vector makes up.
/// (Of a float16 without all its digits they would give a number that is slow to reckon with, but those are rounded away.)
/// Lane by lane, the compiler turns that into vector instructions.
pub(super) fn dot(scaled: &[f32], rounded: &[i16]) -> f32 {
    let product = |a: &f32, b: i16| a * f32::from_bits((i32::from(b) << 13).cast_unsigned() & 0x8fff_e000);
    let ((a, a_rest), (b, b_rest)) = (scaled.as_chunks::<16>(), rounded.as_chunks::<16>());
    let mut lanes = [0.0_f32; 16];
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += product(a, *b);
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| product(a, *b));
    lanes.into_iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use super::super::f16::{decode, round, to_bytes};
    use super::*;

    #[test]
    fn products_are_those_of_the_numbers() {
        let a: Vec<f32> = (0..37_i16).map(|n| f32::from(n * 7 % 11 - 5) / 30.0).collect();
        let b: Vec<f32> = (0..37_i16).map(|n| f32::from(n * 5 % 13 - 6) / 40.0).collect();
        let read = decode(&to_bytes(&round(&b))).unwrap();
        let expected: f32 = a.iter().zip(&read).map(|(a, b)| a * b).sum();
        assert!((dot(&scale(&a), &round(&b)) - expected).abs() < 1e-6);
    }
}
