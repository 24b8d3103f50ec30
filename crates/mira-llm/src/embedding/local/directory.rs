//! A model directory in the layout of sentence-transformers.

use std::error::Error as StdError;
use std::fs;
use std::io;
use std::panic;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokenizers::{PostProcessor as _, Tokenizer, TruncationParams};

use super::bert::{Bert, Pooling, Shape};
use super::error::ModelError;
use super::model::Model;
use super::weights::Weights;

const CONFIG: &str = "config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
const LIMITS: &str = "sentence_bert_config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";

/// How much of the digest is shown: enough that two models are never taken for one another by accident.
const SHOWN_DIGEST_DIGITS: usize = 12;

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_act: String,
    position_embedding_type: Option<String>,
    #[serde(flatten)]
    shape: Shape,
}

#[derive(Deserialize)]
struct Limits {
    max_seq_length: Option<usize>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    path: String,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "the format has a flag for each mode"
)]
#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(default)]
struct PoolingModes {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
}

/// Reads the model in `path`, and gives it with a digest of all files that its vectors depend on.
pub(super) fn load(path: &Path) -> Result<(Model, String), ModelError> {
    let mut directory = Directory {
        path,
        digest: Sha256::new(),
    };
    let shape = directory.shape()?;
    directory.check_modules()?;
    let pooling = directory.pooling()?;
    let max_tokens = directory
        .json_if_present::<Limits>(LIMITS)?
        .and_then(|limits| limits.max_seq_length)
        .unwrap_or(usize::MAX)
        .min(shape.max_position_embeddings);
    let tokenizer = directory.tokenizer(&shape, max_tokens)?;
    let bytes = directory.read(WEIGHTS)?;
    let weights_path = directory.file(WEIGHTS);
    let weights = Weights::parse(&weights_path, &bytes)?;
    let model = Model {
        tokenizer,
        bert: Bert::load(&shape, &weights)?,
        pooling,
        max_tokens,
        vocabulary: shape.vocab_size,
    };
    Ok((model, directory.shown_digest()))
}

struct Directory<'a> {
    path: &'a Path,
    digest: Sha256,
}

impl Directory<'_> {
    fn shape(&mut self) -> Result<Shape, ModelError> {
        let config: Config = self.json(CONFIG)?;
        let unsupported = |found: String, supported| Err(self.unsupported(CONFIG, found, supported));
        if config.model_type != "bert" {
            return unsupported(
                format!("model_type {:?}", config.model_type),
                "only \"bert\" is supported",
            );
        }
        if config.hidden_act != "gelu" {
            return unsupported(
                format!("hidden_act {:?}", config.hidden_act),
                "only \"gelu\" is supported",
            );
        }
        if let Some(kind) = config.position_embedding_type.filter(|kind| kind != "absolute") {
            return unsupported(
                format!("position_embedding_type {kind:?}"),
                "only \"absolute\" is supported",
            );
        }
        let shape = config.shape;
        let (width, heads) = (shape.hidden_size, shape.num_attention_heads);
        if width == 0 || heads == 0 || width % heads != 0 || shape.type_vocab_size == 0 {
            return unsupported(
                format!(
                    "hidden_size {width}, num_attention_heads {heads} and type_vocab_size {}",
                    shape.type_vocab_size
                ),
                "they must be positive and the first a multiple of the second",
            );
        }
        Ok(shape)
    }

    /// A module that is not known here would change the vectors.
    fn check_modules(&mut self) -> Result<(), ModelError> {
        let modules: Vec<Module> = self.json_if_present(MODULES)?.unwrap_or_default();
        let known = ["Transformer", "Pooling", "Normalize"];
        let unknown = modules.into_iter().find(|module| {
            !known
                .iter()
                .any(|name| module.path.rsplit('.').next() == Some(name))
        });
        match unknown {
            Some(module) => Err(self.unsupported(
                MODULES,
                format!("a module {:?}", module.path),
                "only Transformer, Pooling and Normalize are supported",
            )),
            None => Ok(()),
        }
    }

    fn pooling(&mut self) -> Result<Pooling, ModelError> {
        let modes: PoolingModes = self.json(POOLING)?;
        let mean = PoolingModes {
            pooling_mode_mean_tokens: true,
            ..PoolingModes::default()
        };
        let first = PoolingModes {
            pooling_mode_cls_token: true,
            ..PoolingModes::default()
        };
        if modes == mean {
            Ok(Pooling::Mean)
        } else if modes == first {
            Ok(Pooling::First)
        } else {
            Err(self.unsupported(
                POOLING,
                "another way of pooling".to_owned(),
                "only the mean of the tokens or the first token alone are supported",
            ))
        }
    }

    fn tokenizer(&mut self, shape: &Shape, max_tokens: usize) -> Result<Tokenizer, ModelError> {
        let bytes = self.read(TOKENIZER)?;
        // The library panics at some tokenizers whose parts contradict each other.
        let tokenizer = panic::catch_unwind(|| prepare(&bytes, max_tokens))
            .unwrap_or_else(|_panic| Err("its parts contradict each other".into()))
            .map_err(|source| self.malformed(TOKENIZER, "a tokenizer that can be used", source))?;
        let words = tokenizer.get_vocab_size(true);
        if words > shape.vocab_size {
            return Err(self.unsupported(
                TOKENIZER,
                format!("{words} words"),
                "no more are supported than the vocab_size of config.json",
            ));
        }
        Ok(tokenizer)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ModelError> {
        let bytes = self.read(name)?;
        self.parse(name, &bytes)
    }

    fn json_if_present<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ModelError> {
        match self.read(name) {
            Ok(bytes) => self.parse(name, &bytes).map(Some),
            Err(ModelError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse<T: DeserializeOwned>(&self, name: &str, bytes: &[u8]) -> Result<T, ModelError> {
        serde_json::from_slice(bytes)
            .map_err(|source| self.malformed(name, "the JSON that it should be", source.into()))
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, ModelError> {
        let path = self.file(name);
        let bytes = fs::read(&path).map_err(|source| ModelError::Read { path, source })?;
        self.digest.update(name);
        self.digest.update(&bytes);
        Ok(bytes)
    }

    fn shown_digest(self) -> String {
        let mut digest = format!("{:x}", self.digest.finalize());
        digest.truncate(SHOWN_DIGEST_DIGITS);
        digest
    }

    fn malformed(
        &self,
        name: &str,
        expected: &'static str,
        source: Box<dyn StdError + Send + Sync>,
    ) -> ModelError {
        ModelError::Malformed {
            path: self.file(name),
            expected,
            source,
        }
    }

    fn unsupported(&self, name: &str, found: String, supported: &'static str) -> ModelError {
        ModelError::Unsupported {
            path: self.file(name),
            found,
            supported,
        }
    }
}

/// A tokenizer that cuts texts off at `max_tokens`, and has been tried.
fn prepare(bytes: &[u8], max_tokens: usize) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_bytes(bytes)?;
    let added = tokenizer
        .get_post_processor()
        .map_or(0, |processor| processor.added_tokens(false));
    if max_tokens <= added {
        return Err(format!("{added} special tokens leave no room for a text among {max_tokens}").into());
    }
    let truncation = TruncationParams {
        max_length: max_tokens,
        ..TruncationParams::default()
    };
    tokenizer.with_padding(None).with_truncation(Some(truncation))?;
    tokenizer.encode_fast("one, two", true)?;
    Ok(tokenizer)
}
