//! Ranks texts by how near they are to a question, with a model on this machine:
//! `cargo run -p mira-llm --features local-embeddings --example embed -- MODEL_DIRECTORY QUESTION TEXT...`

use std::path::Path;

use mira_llm::embedding::{Embedder as _, LocalEmbeddings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments
        .next()
        .ok_or("usage: embed MODEL_DIRECTORY QUESTION TEXT...")?;
    let texts: Vec<String> = arguments.collect();

    let model = LocalEmbeddings::open(Path::new(&directory))?;
    let vectors = model.embed(&texts).await?;
    let (question, answers) = vectors.split_first().ok_or("there is no question")?;
    let mut ranked: Vec<(f32, &String)> = answers
        .iter()
        // The vectors have length 1, so that this is the cosine of the angle between them.
        .map(|answer| question.iter().zip(answer).map(|(a, b)| a * b).sum())
        .zip(&texts[1..])
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    #[expect(clippy::print_stdout, reason = "an example shows what it found")]
    for (similarity, text) in ranked {
        println!("{similarity:.3} {text}");
    }
    Ok(())
}
