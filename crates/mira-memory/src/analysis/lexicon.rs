//! Things that people state preferences about, by the key under which such statements meet: whoever prefers tabs and
//! later spaces has changed their mind about `indentation`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::fact::Category;

/// How many things of a kind a person goes by at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A matter of taste: to like one is to choose it.
    Choice,
    /// One is in use at a time, but others may be liked.
    One,
    /// Many are in use side by side: uses are kept under [`Kind::used`], and only a preference is a choice.
    Many,
}

/// A kind of thing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub key: &'static str,
    pub holds: Holds,
    /// How a person names the kind, as in "my favourite … is".
    names: &'static str,
    /// Separated by commas, like the names.
    things: &'static str,
}

impl Kind {
    /// The key of what is in use.
    pub(super) fn used(&self) -> &'static str {
        match (self.holds, self.key) {
            (Holds::Choice | Holds::One, key) => key,
            (Holds::Many, "programming_language") => "languages_known",
            (Holds::Many, _) => "tools_used",
        }
    }

    /// What a statement of use is about.
    pub(super) fn category(&self) -> Category {
        match self.holds {
            Holds::Choice => Category::Preference,
            Holds::One | Holds::Many => Category::Technical,
        }
    }
}

const KINDS: &[Kind] = &[
    choice(
        "indentation",
        "indentation, indent, indent style",
        "tabs, spaces, tab, hard tabs, soft tabs, two spaces, four spaces, 2 spaces, 4 spaces, 2-space \
        indentation, 4-space indentation",
    ),
    choice(
        "theme",
        "theme, color scheme, colour scheme",
        "dark mode, light mode, dark theme, light theme, dark themes, light themes, a dark theme, a light \
        theme",
    ),
    choice("quotes", "quotes, quote style", "single quotes, double quotes"),
    choice("semicolons", "semicolons", "semicolons, no semicolons"),
    choice(
        "naming_style",
        "naming style, naming convention",
        "snake_case, camelcase, snake case, camel case, kebab-case, pascalcase",
    ),
    choice(
        "keyboard_layout",
        "keyboard layout, layout",
        "qwerty, qwertz, azerty, dvorak, colemak",
    ),
    choice(
        "response_length",
        "response length, answer length",
        "short answers, brief answers, concise answers, short responses, brief responses, concise \
        responses, short replies, long answers, detailed answers, long responses, detailed responses, \
        short explanations, detailed explanations, in-depth explanations, thorough explanations",
    ),
    choice(
        "programming_paradigm",
        "paradigm, programming paradigm",
        "functional programming, object-oriented programming, object oriented programming, oop, procedural \
        programming, fp",
    ),
    one(
        "editor",
        "editor, code editor, text editor, ide",
        "vim, neovim, nvim, emacs, doom emacs, vs code, vscode, visual studio code, visual studio, \
        intellij, intellij idea, pycharm, webstorm, rustrover, goland, clion, sublime, sublime text, \
        helix, zed, nano, kakoune, cursor, xcode, android studio, notepad++, eclipse",
    ),
    one(
        "operating_system",
        "operating system, os, distro, linux distribution",
        "linux, ubuntu, debian, fedora, arch, arch linux, nixos, mint, linux mint, opensuse, gentoo, \
        macos, mac os, os x, windows, windows 10, windows 11, freebsd, openbsd, wsl, wsl2",
    ),
    one("shell", "shell", "bash, zsh, fish, nushell, powershell"),
    one(
        "terminal",
        "terminal, terminal emulator",
        "alacritty, kitty, wezterm, iterm, iterm2, ghostty, konsole, windows terminal",
    ),
    one(
        "browser",
        "browser, web browser",
        "firefox, chrome, safari, brave, edge, vivaldi",
    ),
    one(
        "version_control",
        "version control, vcs",
        "git, jujutsu, jj, mercurial, svn, subversion",
    ),
    one(
        "code_host",
        "code host",
        "github, gitlab, bitbucket, codeberg, gitea, forgejo",
    ),
    many(
        "programming_language",
        "language, programming language, coding language",
        "rust, python, typescript, javascript, go, golang, java, kotlin, swift, c, c++, c#, ruby, php, \
        haskell, elixir, scala, zig, ocaml, clojure, lua, perl, dart, julia, r, f#, erlang, objective-c, \
        elm, gleam, nim",
    ),
    many(
        "package_manager",
        "package manager",
        "npm, pnpm, yarn, bun, pip, poetry, uv, conda, pipenv, homebrew, cargo, nix, maven, gradle",
    ),
    many(
        "test_framework",
        "test framework, testing framework, test runner",
        "jest, vitest, mocha, jasmine, pytest, unittest, nextest, cargo nextest, cargo-nextest, junit, \
        testng, rspec, playwright, cypress, selenium, proptest, hypothesis",
    ),
    many(
        "database",
        "database, db",
        "postgres, postgresql, mysql, mariadb, sqlite, mongodb, mongo, redis, dynamodb, cassandra, duckdb, \
        clickhouse, sql server, oracle, cockroachdb, supabase, firebase",
    ),
    many(
        "frontend_framework",
        "frontend framework, front-end framework, ui framework, js framework",
        "react, vue, svelte, sveltekit, angular, solid, solidjs, preact, htmx, next.js, nextjs, nuxt, \
        remix, astro, leptos, yew, dioxus, flutter, react native",
    ),
    many(
        "backend_framework",
        "backend framework, back-end framework, web framework",
        "axum, actix, actix-web, actix web, rocket, warp, django, flask, fastapi, express, nestjs, hono, \
        rails, ruby on rails, spring, spring boot, laravel, phoenix, gin, fiber, .net, asp.net",
    ),
    many(
        "css_framework",
        "css framework",
        "tailwind, tailwindcss, tailwind css, bootstrap, bulma",
    ),
    many(
        "formatter",
        "formatter, code formatter",
        "prettier, biome, black, rustfmt, ruff, gofmt",
    ),
    many(
        "linter",
        "linter",
        "eslint, clippy, pylint, flake8, golangci-lint, oxlint",
    ),
    many(
        "bundler",
        "bundler, build tool",
        "vite, webpack, esbuild, rollup, parcel, turbopack, bazel, cmake",
    ),
    many(
        "containers",
        "container runtime",
        "docker, podman, kubernetes, k8s, docker compose",
    ),
    many(
        "ci",
        "ci, ci system",
        "github actions, gitlab ci, jenkins, circleci, buildkite",
    ),
    many(
        "cloud_provider",
        "cloud, cloud provider, hosting provider",
        "aws, gcp, google cloud, azure, hetzner, fly.io, digitalocean, heroku, vercel, netlify, cloudflare",
    ),
    many(
        "orm",
        "orm",
        "prisma, drizzle, sqlalchemy, diesel, sea-orm, seaorm, typeorm, sqlx, hibernate",
    ),
    many("async_runtime", "async runtime", "tokio, async-std, smol"),
    many("error_library", "error library", "anyhow, thiserror, eyre, snafu"),
    many("api_style", "api style", "rest, graphql, grpc, trpc, json-rpc"),
    many(
        "drink",
        "drink, beverage",
        "coffee, tea, green tea, espresso, beer, wine",
    ),
];

const fn choice(key: &'static str, names: &'static str, things: &'static str) -> Kind {
    Kind {
        key,
        holds: Holds::Choice,
        names,
        things,
    }
}

const fn one(key: &'static str, names: &'static str, things: &'static str) -> Kind {
    Kind {
        key,
        holds: Holds::One,
        names,
        things,
    }
}

const fn many(key: &'static str, names: &'static str, things: &'static str) -> Kind {
    Kind {
        key,
        holds: Holds::Many,
        names,
        things,
    }
}

static BY_THING: LazyLock<HashMap<&str, &Kind>> = LazyLock::new(|| by(|kind| kind.things));

static BY_NAME: LazyLock<HashMap<&str, &Kind>> = LazyLock::new(|| by(|kind| kind.names));

fn by(words: fn(&Kind) -> &'static str) -> HashMap<&'static str, &'static Kind> {
    KINDS
        .iter()
        .flat_map(|kind| words(kind).split(", ").map(move |word| (word, kind)))
        .collect()
}

/// Things whose names are words of everyday speech too, and which a topic therefore needs other signs for.
const AMBIGUOUS: &str = "tab spaces go c r swift cursor zed helix fish edge safari brave arch mint express solid spring rocket \
    warp gin fiber phoenix remix rest black ruff nano dart rails parcel oracle diesel hypothesis prisma \
    drizzle poetry kitty elm nim nix julia chrome windows layout astro yew flask bun cargo eclipse \
    terminal smol jasmine rollup bootstrap gleam crystal tea wine beer coffee lua ruby perl";

/// The kind of a thing, such as `Neovim` or `tabs`; a version after the name does not matter.
pub(super) fn kind_of(thing: &str) -> Option<&'static Kind> {
    let thing = thing.trim().to_lowercase();
    let named = |name: &str| BY_THING.get(name).copied();
    named(&thing).or_else(|| {
        let (name, version) = thing.rsplit_once(' ')?;
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| named(name))?
    })
}

/// The kind that goes by a name such as `ide` or `web browser`.
pub(super) fn kind_named(name: &str) -> Option<&'static Kind> {
    BY_NAME.get(name.trim().to_lowercase().as_str()).copied()
}

/// Whether a lower-case word names a tool or a language and nothing else.
pub(super) fn is_technical(word: &str) -> bool {
    !AMBIGUOUS.split_whitespace().any(|known| known == word)
        && BY_THING.get(word).is_some_and(|kind| kind.key != "drink")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_thing_is_of_two_kinds_and_all_are_lower_case() {
        let all =
            |words: fn(&Kind) -> &'static str| KINDS.iter().flat_map(move |kind| words(kind).split(", "));
        assert_eq!(all(|kind| kind.things).count(), BY_THING.len());
        assert_eq!(all(|kind| kind.names).count(), BY_NAME.len());
        assert!(all(|kind| kind.things).all(|thing| thing == thing.to_lowercase()));
    }

    #[test]
    fn things_are_known_with_versions_and_in_any_case() {
        let cases = [
            ("Tabs", Some("indentation")),
            ("VS Code", Some("editor")),
            ("Python 3.13", Some("programming_language")),
            ("windows 11", Some("operating_system")),
            ("python scripts", None),
            ("", None),
        ];
        for (thing, key) in cases {
            assert_eq!(kind_of(thing).map(|kind| kind.key), key, "{thing}");
        }
    }
}
