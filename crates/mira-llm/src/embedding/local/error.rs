//! Why a directory is no model.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

/// Why a directory cannot be used as an embedding model. Every variant names the file that is to blame.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file, or the directory itself.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is damaged, or not what its name says.
    #[error("{} is not {expected}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What its reader says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The model is of a kind that is not implemented here, or its sizes make no sense.
    #[error("{} has {found}, but {supported}", path.display())]
    Unsupported {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What it may say.
        supported: &'static str,
    },
    /// The weights lack a part of the model that `config.json` describes.
    #[error("{} has no tensor {name}", path.display())]
    MissingTensor {
        /// The file with the weights.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
    },
    /// A part of the weights is not as large as `config.json` makes it, or of another number format.
    #[error("tensor {name} in {} is {found} instead of {expected}", path.display())]
    WrongTensor {
        /// The file with the weights.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
        /// The number format and shape that it should have.
        expected: String,
        /// The number format and shape that it has.
        found: String,
    },
    /// Every file can be read, but together they do not make a vector of a text.
    #[error("the files in {} do not fit together", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What went wrong with the text that was tried.
        source: crate::Error,
    },
}
