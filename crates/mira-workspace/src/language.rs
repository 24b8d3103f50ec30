//! The language of a file, by its name.

/// The language of the file at `path`, in the lower-case form that code fences and editors use; `None` when the name
/// does not tell.
///
/// ```
/// # use mira_workspace::language_of;
/// assert_eq!(language_of("src/main.rs"), Some("rust"));
/// assert_eq!(language_of("deploy/Dockerfile"), Some("dockerfile"));
/// assert_eq!(language_of("LICENSE"), None);
/// ```
pub fn language_of(path: &str) -> Option<&'static str> {
    let name = path
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(path)
        .to_ascii_lowercase();
    let by_name = match &*name {
        "dockerfile" | "containerfile" => Some("dockerfile"),
        "makefile" | "gnumakefile" | "justfile" => Some("makefile"),
        "cmakelists.txt" => Some("cmake"),
        "cargo.lock" | "poetry.lock" => Some("toml"),
        "gemfile" | "rakefile" => Some("ruby"),
        "go.mod" => Some("go"),
        ".bashrc" | ".bash_profile" | ".profile" | ".zshrc" => Some("shell"),
        _ => None,
    };
    by_name.or_else(|| by_extension(name.rsplit_once('.')?.1))
}

fn by_extension(extension: &str) -> Option<&'static str> {
    let language = match extension {
        "rs" => "rust",
        "ts" | "mts" | "cts" | "tsx" => "typescript",
        "js" | "mjs" | "cjs" | "jsx" => "javascript",
        "py" | "pyi" => "python",
        "go" => "go",
        "java" => "java",
        "kt" | "kts" => "kotlin",
        "scala" | "sc" => "scala",
        "c" | "h" => "c",
        "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" => "cpp",
        "cs" => "csharp",
        "rb" => "ruby",
        "php" => "php",
        "swift" => "swift",
        "dart" => "dart",
        "lua" => "lua",
        "ex" | "exs" => "elixir",
        "erl" => "erlang",
        "hs" => "haskell",
        "ml" | "mli" => "ocaml",
        "zig" => "zig",
        "r" => "r",
        "jl" => "julia",
        "sh" | "bash" | "zsh" => "shell",
        "ps1" => "powershell",
        "sql" => "sql",
        "html" | "htm" => "html",
        "vue" => "vue",
        "svelte" => "svelte",
        "css" => "css",
        "scss" => "scss",
        "less" => "less",
        "json" | "jsonc" => "json",
        "toml" => "toml",
        "yaml" | "yml" => "yaml",
        "xml" | "svg" => "xml",
        "ini" | "cfg" => "ini",
        "md" | "markdown" => "markdown",
        "proto" => "protobuf",
        "graphql" | "gql" => "graphql",
        "tf" => "hcl",
        "nix" => "nix",
        _ => return None,
    };
    Some(language)
}
