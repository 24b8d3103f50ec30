//! The forward pass of BERT (Devlin et al., 2018), as an encoder of sentences.
//!
//! The tokens of all texts of a batch are packed into the rows of one matrix, text after text. Only attention looks
//! at more than one row, and it goes text by text. So there is no padding to compute and none to mask, and the
//! vector of a text does not depend on what else is in the batch.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis};
use serde::Deserialize;

use super::error::ModelError;
use super::math;
use super::weights::Weights;

/// The part of `config.json` that says what the weights are.
#[derive(Debug, Deserialize)]
pub(super) struct Shape {
    pub(super) vocab_size: usize,
    pub(super) type_vocab_size: usize,
    pub(super) max_position_embeddings: usize,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) layer_norm_eps: f32,
}

/// How the vectors of the tokens of a text become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Their mean.
    Mean,
    /// That of the first token.
    First,
}

pub(super) struct Bert {
    words: Array2<f32>,
    /// With the vector of the first token type, which all tokens of a single text have.
    positions: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
}

struct Layer {
    /// Query, key and value side by side.
    attention: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
}

struct Linear {
    /// Inputs × outputs.
    weight: Array2<f32>,
    bias: Array1<f32>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

impl Bert {
    /// Takes the weights, whose shapes must be those of `shape`. There must be at least one head, and each must
    /// have the same width.
    pub(super) fn load(shape: &Shape, weights: &Weights<'_>) -> Result<Self, ModelError> {
        let width = shape.hidden_size;
        let table =
            |name: &str, rows| weights.matrix(&format!("embeddings.{name}_embeddings.weight"), [rows, width]);
        let types = table("token_type", shape.type_vocab_size)?;
        Ok(Self {
            words: table("word", shape.vocab_size)?,
            positions: table("position", shape.max_position_embeddings)? + types.row(0),
            norm: Norm::load(shape, weights, "embeddings.LayerNorm")?,
            layers: (0..shape.num_hidden_layers)
                .map(|index| Layer::load(shape, weights, &format!("encoder.layer.{index}")))
                .collect::<Result<_, _>>()?,
            heads: shape.num_attention_heads,
        })
    }

    /// The length of the vectors.
    pub(super) fn width(&self) -> usize {
        self.words.ncols()
    }

    /// One vector of length 1 for each text. Texts must have at least one token, at most as many as the model has
    /// positions, and only such as it has words.
    pub(super) fn embed(&self, texts: &[Vec<u32>], pooling: Pooling) -> Vec<Vec<f32>> {
        let mut end = 0;
        let spans: Vec<Range<usize>> = texts
            .iter()
            .map(|tokens| {
                let start = end;
                end += tokens.len();
                start..end
            })
            .collect();
        let states = self.forward(texts, &spans);
        spans
            .into_iter()
            .map(|span| {
                let mut vector = match pooling {
                    // The sum has the direction of the mean.
                    Pooling::Mean => window(&states, span, 0..self.width()).sum_axis(Axis(0)).to_vec(),
                    Pooling::First => states.row(span.start).to_vec(),
                };
                math::normalize(&mut vector);
                vector
            })
            .collect()
    }

    fn forward(&self, texts: &[Vec<u32>], spans: &[Range<usize>]) -> Array2<f32> {
        let tokens = texts.iter().flat_map(|tokens| tokens.iter().enumerate());
        let mut states = Array2::zeros((texts.iter().map(Vec::len).sum(), self.width()));
        for ((position, token), mut state) in tokens.zip(states.rows_mut()) {
            state += &self.words.row(*token as usize);
            state += &self.positions.row(position);
        }
        self.norm.apply(&mut states);
        for layer in &self.layers {
            let projected = layer.attention.apply(&states);
            let attended = attend(&projected, spans, self.heads);
            states += &layer.attention_output.apply(&attended);
            layer.attention_norm.apply(&mut states);

            let mut inner = layer.intermediate.apply(&states);
            inner.mapv_inplace(math::gelu);
            states += &layer.output.apply(&inner);
            layer.output_norm.apply(&mut states);
        }
        states
    }
}

/// What each token gathers from all tokens of its text, from queries, keys and values side by side.
fn attend(projected: &Array2<f32>, spans: &[Range<usize>], heads: usize) -> Array2<f32> {
    let width = projected.ncols() / 3;
    let head_width = width / heads;
    let scale = 1.0 / math::count(head_width).sqrt();
    let mut gathered = Array2::zeros((projected.nrows(), width));
    for span in spans {
        let mut scores = Array2::zeros((span.len(), span.len()));
        let part = |index: usize, head: usize| {
            let start = index * width + head * head_width;
            window(projected, span.clone(), start..start + head_width)
        };
        for head in 0..heads {
            let (query, key, value) = (part(0, head), part(1, head), part(2, head));
            general_mat_mul(scale, &query, &key.t(), 0.0, &mut scores);
            math::each_row(&mut scores, math::softmax);
            let start = head * head_width;
            let mut target = window_mut(&mut gathered, span.clone(), start..start + head_width);
            general_mat_mul(1.0, &scores, &value, 0.0, &mut target);
        }
    }
    gathered
}

fn window(matrix: &Array2<f32>, rows: Range<usize>, columns: Range<usize>) -> ArrayView2<'_, f32> {
    let mut view = matrix.view();
    view.slice_axis_inplace(Axis(0), rows.into());
    view.slice_axis_inplace(Axis(1), columns.into());
    view
}

fn window_mut(matrix: &mut Array2<f32>, rows: Range<usize>, columns: Range<usize>) -> ArrayViewMut2<'_, f32> {
    let mut view = matrix.view_mut();
    view.slice_axis_inplace(Axis(0), rows.into());
    view.slice_axis_inplace(Axis(1), columns.into());
    view
}

impl Layer {
    fn load(shape: &Shape, weights: &Weights<'_>, name: &str) -> Result<Self, ModelError> {
        let (width, inner) = (shape.hidden_size, shape.intermediate_size);
        let linear =
            |part: &str, inputs, outputs| Linear::load(weights, &format!("{name}.{part}"), inputs, outputs);
        let norm = |part: &str| Norm::load(shape, weights, &format!("{name}.{part}.LayerNorm"));
        Ok(Self {
            attention: Linear::side_by_side(&[
                linear("attention.self.query", width, width)?,
                linear("attention.self.key", width, width)?,
                linear("attention.self.value", width, width)?,
            ]),
            attention_output: linear("attention.output.dense", width, width)?,
            attention_norm: norm("attention.output")?,
            intermediate: linear("intermediate.dense", width, inner)?,
            output: linear("output.dense", inner, width)?,
            output_norm: norm("output")?,
        })
    }
}

impl Linear {
    fn load(weights: &Weights<'_>, name: &str, inputs: usize, outputs: usize) -> Result<Self, ModelError> {
        let weight = weights.matrix(&format!("{name}.weight"), [outputs, inputs])?;
        Ok(Self {
            // The product is faster where its right side is stored by rows.
            weight: weight.t().as_standard_layout().into_owned(),
            bias: weights.vector(&format!("{name}.bias"), outputs)?,
        })
    }

    /// One that does the work of several with as many inputs and outputs in one product.
    fn side_by_side(parts: &[Self; 3]) -> Self {
        let (inputs, outputs) = parts[0].weight.dim();
        let mut weight = Array2::zeros((inputs, outputs * parts.len()));
        let bias = parts.iter().flat_map(|part| &part.bias).copied().collect();
        for (index, part) in parts.iter().enumerate() {
            let columns = index * outputs..(index + 1) * outputs;
            window_mut(&mut weight, 0..inputs, columns).assign(&part.weight);
        }
        Self { weight, bias }
    }

    fn apply(&self, input: &Array2<f32>) -> Array2<f32> {
        let mut output = Array2::zeros((input.nrows(), self.bias.len()));
        output.assign(&self.bias);
        general_mat_mul(1.0, input, &self.weight, 1.0, &mut output);
        output
    }
}

impl Norm {
    fn load(shape: &Shape, weights: &Weights<'_>, name: &str) -> Result<Self, ModelError> {
        let part = |part: &str| weights.vector(&format!("{name}.{part}"), shape.hidden_size);
        Ok(Self {
            weight: part("weight")?.to_vec(),
            bias: part("bias")?.to_vec(),
            epsilon: shape.layer_norm_eps,
        })
    }

    fn apply(&self, states: &mut Array2<f32>) {
        math::each_row(states, |row| {
            math::layer_norm(row, &self.weight, &self.bias, self.epsilon);
        });
    }
}
