//! What ends a turn before the model is done.

use mira_llm::scripted::{Endpoint as Route, TokenUsage};
use mira_ops::Options;
use serde_json::json;

use crate::harness::{Mira, Setup, brief, coder, reasoner, script};

fn at_most(max_iterations: u32, max_turn_tokens: u64) -> Setup {
    let options = Options {
        max_iterations,
        max_turn_tokens,
        ..Options::default()
    };
    Setup {
        options,
        ..Setup::default()
    }
}

#[tokio::test]
async fn after_the_last_allowed_round_of_tools_the_model_has_to_answer() {
    let last = reasoner("last word")
        .instructions_contains("You have used all the tool calls of this turn.")
        .text("This is as far as I came.");
    let looks = reasoner("looks again").tool_call("project_outline", &json!({}));
    let mira = Mira::start_with(script([last, looks]), &at_most(2, u64::MAX)).await;
    let turned = mira.run(mira.project_turn("Look for ever.")).await;
    assert_eq!(turned.end(), "completed at the limit of Iterations");
    assert_eq!(turned.detail.text, "This is as far as I came.");
    let choices: Vec<_> = mira
        .requests(Route::Responses)
        .iter()
        .map(|request| request["tool_choice"].clone())
        .collect();
    assert_eq!(choices, ["auto", "auto", "none"]);
    mira.close().await;
}

#[tokio::test]
async fn a_model_that_cannot_stop_calling_tools_fails() {
    let looks = reasoner("looks again").tool_call("project_outline", &json!({}));
    let mira = Mira::start_with(script([looks]), &at_most(1, u64::MAX)).await;
    let turned = mira.run(mira.project_turn("Look for ever.")).await;
    assert_eq!(turned.end(), "failed: ModelMalformed, retryable");
    assert_eq!(mira.requests(Route::Responses).len(), 2);
    mira.close().await;
}

#[tokio::test]
async fn a_turn_that_has_used_its_tokens_asks_for_nothing_more() {
    let usage = TokenUsage {
        input: 90,
        output: 20,
        ..TokenUsage::default()
    };
    let looks = reasoner("looks")
        .text("Looking.")
        .tool_call("project_outline", &json!({}))
        .usage(usage);
    let mira = Mira::start_with(script([looks]), &at_most(25, 200)).await;
    let turned = mira.run(mira.project_turn("Look for ever.")).await;
    assert_eq!(turned.end(), "completed at the limit of Tokens");
    assert_eq!(turned.detail.text, "Looking.\n\nLooking.");
    assert_eq!(turned.detail.usage[0].usage.total(), 220);
    assert_eq!(mira.requests(Route::Responses).len(), 2);
    mira.close().await;
}

#[tokio::test]
async fn what_the_coder_uses_counts_too() {
    let usage = |output| TokenUsage {
        output,
        ..TokenUsage::default()
    };
    let delegates = reasoner("delegates")
        .tool_call("generate_code", &brief("src/a.rs", "Anything."))
        .usage(usage(1));
    let file = json!({"path": "src/a.rs", "content": "fn a() {}\n"});
    let writes = coder("writes").tool_call("submit_file", &file).usage(usage(200));
    let mira = Mira::start_with(script([delegates, writes]), &at_most(25, 200)).await;
    let turned = mira.run(mira.project_turn("Write it.")).await;
    assert_eq!(turned.end(), "completed at the limit of Tokens");
    assert_eq!(
        (turned.detail.artifacts.len(), turned.detail.operation.answer),
        (1, None)
    );
    assert_eq!(mira.requests(Route::Responses).len(), 1);
    mira.close().await;
}
