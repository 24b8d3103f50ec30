//! What a turn cost, in one line.

use std::time::Duration;

use mira_proto::native::ModelUsage;

use crate::clean::clean_line;

/// Tokens by model, and the time: `gpt-5 12.3k in (10.1k cached), 450 out · 14.2 s`.
pub(crate) fn line(usage: &[ModelUsage], elapsed: Option<Duration>) -> String {
    let models = usage.iter().map(|usage| {
        let tokens = &usage.tokens;
        let cached = match tokens.cached_input_tokens {
            0 => String::new(),
            cached => format!(" ({} cached)", count(cached)),
        };
        let model = clean_line(&usage.model);
        format!(
            "{model} {} in{cached}, {} out",
            count(tokens.input_tokens),
            count(tokens.output_tokens)
        )
    });
    let time = elapsed.map(|elapsed| format!("{:.1} s", elapsed.as_secs_f64()));
    models.chain(time).collect::<Vec<_>>().join(" · ")
}

fn count(tokens: u64) -> String {
    match tokens {
        0..1000 => tokens.to_string(),
        1000..1_000_000 => format!("{}.{}k", tokens / 1000, tokens % 1000 / 100),
        _ => format!("{}.{}M", tokens / 1_000_000, tokens % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use mira_proto::native::{ModelRole, TokenUsage};

    use super::*;

    #[test]
    fn every_model_has_its_tokens() {
        let used = |model: &str, input_tokens, cached_input_tokens, output_tokens| ModelUsage {
            role: ModelRole::Reasoner,
            model: model.to_owned(),
            calls: 1,
            tokens: TokenUsage {
                input_tokens,
                cached_input_tokens,
                output_tokens,
                ..TokenUsage::default()
            },
        };
        let usage = [
            used("gpt-5", 12_345, 10_199, 450),
            used("deepseek-v4-flash", 999, 0, 2_500_000),
        ];
        assert_eq!(
            line(&usage, Some(Duration::from_millis(14_234))),
            "gpt-5 12.3k in (10.1k cached), 450 out · deepseek-v4-flash 999 in, 2.5M out · 14.2 s"
        );
        assert_eq!(line(&[], None), "");
    }
}
