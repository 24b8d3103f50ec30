//! The numbers of a model, from a safetensors file.

use std::path::Path;

use ndarray::{Array1, Array2};
use safetensors::{Dtype, SafeTensors};

use super::error::ModelError;

/// A safetensors file in memory, from which tensors are taken by name and expected shape.
pub(super) struct Weights<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl<'a> Weights<'a> {
    pub(super) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|source| malformed(path, source))?;
        Ok(Self { path, tensors })
    }

    pub(super) fn vector(&self, name: &str, length: usize) -> Result<Array1<f32>, ModelError> {
        self.numbers(name, &[length]).map(Array1::from)
    }

    pub(super) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Array2<f32>, ModelError> {
        let numbers = self.numbers(name, &shape)?;
        Array2::from_shape_vec(shape, numbers).map_err(|source| malformed(self.path, source))
    }

    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let tensor = self
            .tensors
            .tensor(name)
            .map_err(|_not_found| ModelError::MissingTensor {
                path: self.path.to_owned(),
                name: name.to_owned(),
            })?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            return Err(ModelError::WrongTensor {
                path: self.path.to_owned(),
                name: name.to_owned(),
                expected: format!("{:?} {shape:?}", Dtype::F32),
                found: format!("{:?} {:?}", tensor.dtype(), tensor.shape()),
            });
        }
        let (numbers, _none) = tensor.data().as_chunks();
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}

fn malformed(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> ModelError {
    ModelError::Malformed {
        path: path.to_owned(),
        expected: "a safetensors file",
        source: Box::new(source),
    }
}
