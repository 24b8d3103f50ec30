//! Vectors as they are kept: of unit length, two bytes a number, least significant byte first.
//!
//! Float16 finds the same neighbours as float32 at half the size.

use std::num::FpCategory;

use half::f16;

/// A vector whose length is this close to 1 is left as it is, so that reading what was written and writing it again gives
/// the same bytes. Rounding to float16 changes a length by less.
const UNIT: f64 = 1e-3;

/// The vector at unit length. A vector of zeros stays one, and numbers that are not finite stay not finite.
pub fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    if length == 0.0 || (length - 1.0).abs() < UNIT {
        return vector.to_vec();
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 1; rounding is meant")]
    vector.iter().map(|&x| (f64::from(x) / length) as f32).collect()
}

/// The bytes of the vector at unit length: twice as many as it has numbers.
pub fn encode(vector: &[f32]) -> Vec<u8> {
    to_bytes(&round(&unit(vector)))
}

/// The numbers that [`encode`] wrote; `None` when the bytes cannot be such.
pub fn decode(bytes: &[u8]) -> Option<Vec<f32>> {
    let bits = from_bytes(bytes)?;
    let number = |bits: i16| f16::from_bits(bits.cast_unsigned()).to_f32();
    is_finite(&bits).then(|| bits.into_iter().map(number).collect())
}

/// The bits of the nearest float16 numbers. Those too small for all digits become zero.
pub(super) fn round(vector: &[f32]) -> Vec<i16> {
    let round = |&number: &f32| {
        let rounded = f16::from_f32(number);
        if rounded.classify() == FpCategory::Subnormal {
            0
        } else {
            rounded.to_bits().cast_signed()
        }
    };
    vector.iter().map(round).collect()
}

pub(super) fn is_finite(rounded: &[i16]) -> bool {
    rounded
        .iter()
        .all(|bits| f16::from_bits(bits.cast_unsigned()).is_finite())
}

pub(super) fn to_bytes(rounded: &[i16]) -> Vec<u8> {
    rounded.iter().flat_map(|bits| bits.to_le_bytes()).collect()
}

pub(super) fn from_bytes(bytes: &[u8]) -> Option<Vec<i16>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_being_read_and_written_again() {
        for vector in [
            vec![3.0, 4.0],
            vec![1e30, -1e30, 1e-30],
            vec![1e-40, 0.0],
            vec![0.0; 4],
            vec![],
            (0..3072_i16).map(|n| f32::from(n % 97 - 48) * 0.01).collect(),
        ] {
            let bytes = encode(&vector);
            assert_eq!(bytes.len(), vector.len() * 2);
            assert_eq!(encode(&decode(&bytes).unwrap()), bytes, "{vector:?}");
        }
        let numbers = decode(&encode(&[3.0, 4.0])).unwrap();
        assert!(
            numbers.iter().zip([0.6, 0.8]).all(|(a, b)| (a - b).abs() < 1e-3),
            "{numbers:?}"
        );
    }

    #[test]
    fn bytes_that_are_no_vector_are_refused() {
        assert_eq!(decode(&[1]), None, "half a number");
        assert_eq!(decode(&f16::NAN.to_le_bytes()), None);
        assert_eq!(decode(&f16::INFINITY.to_le_bytes()), None);
    }
}
