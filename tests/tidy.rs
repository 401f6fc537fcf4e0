//! The executable half of the house rules: what every file must look like, and what no
//! manifest may draw in. Reads the checkout with `std::fs` alone and names every offender.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 600;
const SKIPPED: &[&str] =
    &[".git", "target", "node_modules", "dist", "bin", "bundled", "lake", "results", "__pycache__"];
const VAGUE_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager"];
const ENGINE_MAY_USE: &[&str] = &[
    "arrow-array",
    "arrow-buffer",
    "arrow-cast",
    "arrow-data",
    "arrow-ipc",
    "arrow-schema",
    "arrow-select",
    "flatbuffers",
    "half",
    "hashbrown",
    "lz4_flex",
    "memchr",
    "regex-automata",
    "regex-syntax",
    "ruzstd",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "twox-hash",
];
/// Crates whose types cross our boundaries: two versions of one would not fit together.
const ONE_VERSION: &[&str] = &[
    "arrow",
    "arrow-array",
    "arrow-buffer",
    "arrow-cast",
    "arrow-data",
    "arrow-ipc",
    "arrow-schema",
    "arrow-select",
    "datafusion",
    "datafusion-common",
    "delta_kernel",
    "object_store",
    "parquet",
    "wgpu",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every file of the checkout with its path from the root, outputs left out.
fn files() -> Vec<(String, PathBuf)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // Hidden folders belong to tools, except for the one of continuous integration.
            let hidden = name.starts_with('.') && name != ".ci";
            if hidden || SKIPPED.contains(&name.as_str()) || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let short = path.strip_prefix(&root).unwrap().to_string_lossy();
                found.push((short.replace('\\', "/"), path));
            }
        }
    }
    found.sort();
    found
}

fn text_files(endings: &[&str]) -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|(name, _)| endings.iter().any(|ending| name.ends_with(ending)))
        .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
        .collect()
}

#[track_caller]
fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_holds() {
    let openings = [
        (".rs", "//! "),
        (".wgsl", "// "),
        (".py", "\"\"\""),
        (".mjs", "// "),
        (".js", "// "),
        (".sh", "#!/usr/bin/env bash\n# "),
    ];
    let mut offenders = Vec::new();
    for (ending, opening) in openings {
        for (name, text) in text_files(&[ending]) {
            // A script that is only sourced has no interpreter line.
            let sourced = ending == ".sh" && text.starts_with("# ");
            if !text.starts_with(opening) && !sourced {
                offenders.push(format!("{name}: opens with {:?}", text.lines().next()));
            }
        }
    }
    assert_none(&offenders, "a file says in its first line what it holds");
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let offenders: Vec<String> = text_files(&[".rs", ".wgsl", ".py", ".mjs", ".js", ".sh", ".css"])
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, n_lines)| *n_lines > LINES_MAX)
        .map(|(name, n_lines)| format!("{name}: {n_lines} lines"))
        .collect();
    assert_none(&offenders, "at most 600 lines a file");
}

#[test]
fn no_name_says_nothing() {
    let offenders: Vec<String> = files()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.ends_with("common.wgsl"))
        .filter(|name| name.split(['/', '.']).any(|part| VAGUE_NAMES.contains(&part)))
        .collect();
    assert_none(&offenders, "a file is named by what it holds");
}

#[test]
fn nothing_is_left_to_do() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("unimpl", "emented!("),
        concat!("to", "do!("),
    ];
    let mut offenders = Vec::new();
    for (name, text) in text_files(&[".rs", ".wgsl", ".py", ".mjs", ".js", ".sh", ".css", ".md"]) {
        for (index, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                offenders.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none(&offenders, "what is to be done is done, or an issue");
}

#[test]
fn no_path_of_one_machine_is_committed() {
    let places = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/wo", "rk/"),
        concat!("/Us", "ers/"),
    ];
    let endings = [
        ".rs", ".wgsl", ".py", ".mjs", ".js", ".sh", ".md", ".toml", ".html", ".css", ".json",
        "Makefile", ".ci/run",
    ];
    let mut offenders = Vec::new();
    for (name, text) in text_files(&endings) {
        for (index, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                offenders.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none(&offenders, "paths are relative or asked for");
}

#[test]
fn the_toolchain_is_whatever_is_installed() {
    for name in ["rust-toolchain.toml", "rust-toolchain"] {
        assert!(!root().join(name).exists(), "{name} makes every cargo call try a download");
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("rust-version = "), "Cargo.toml states the least version of Rust");
}

#[test]
fn every_shader_is_included_somewhere() {
    let sources = text_files(&[".rs"]);
    let offenders: Vec<String> = text_files(&[".wgsl"])
        .into_iter()
        .map(|(name, _)| name)
        .filter(|shader| {
            let file = shader.rsplit('/').next().unwrap();
            // By its whole name, or by its stem given to a macro that adds the rest.
            let stem = format!("\"{}\"", file.trim_end_matches(".wgsl"));
            !sources.iter().any(|(_, text)| {
                text.contains("include_str!") && (text.contains(file) || text.contains(&stem))
            })
        })
        .collect();
    assert_none(&offenders, "a shader that nothing includes is not tested");
}

#[test]
fn big_libraries_come_in_one_version() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = quoted_after(package, "name = ").unwrap();
        let version = quoted_after(package, "version = ").unwrap();
        versions.entry(name).or_default().insert(version);
    }
    for name in ["arrow-array", "datafusion", "object_store", "parquet"] {
        assert!(versions.contains_key(name), "{name} is not in Cargo.lock");
    }
    let offenders: Vec<String> = ONE_VERSION
        .iter()
        .filter_map(|name| {
            versions
                .get(name)
                .filter(|found| found.len() > 1)
                .map(|found| format!("{name}: {found:?}"))
        })
        .collect();
    assert_none(&offenders, "one version of each big library");
}

fn quoted_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = &text[text.find(key)? + key.len()..];
    rest.strip_prefix('"')?.split('"').next()
}

/// The names under every dependency table of a manifest that is not for tests.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies") && !table.ends_with("dev-dependencies");
        } else if inside
            && !line.starts_with([' ', '#'])
            && let Some((name, _)) = line.split_once('=')
        {
            names.push(name.trim().trim_matches('"').to_owned());
        }
    }
    names
}

#[test]
fn the_engine_draws_in_nothing_that_does_io() {
    let manifest = fs::read_to_string(root().join("engine/Cargo.toml")).unwrap();
    let offenders: Vec<String> = dependencies(&manifest)
        .into_iter()
        .filter(|name| !ENGINE_MAY_USE.contains(&name.as_str()))
        .collect();
    assert_none(&offenders, "engine uses only what is pure");
}

#[test]
fn the_engine_does_no_io_and_reads_no_clock() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
        "async fn",
        "println!",
    ];
    let mut offenders = Vec::new();
    for (name, text) in text_files(&[".rs"]) {
        let tests = name.ends_with("tests.rs") || name.contains("/tests/");
        if !name.starts_with("engine/src/") || tests {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let code = !line.trim_start().starts_with("//");
            if code && forbidden.iter().any(|word| line.contains(word)) {
                offenders.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none(&offenders, "engine is pure");
}

#[test]
fn stages_know_only_what_is_left_of_them() {
    let walls = [
        ("album/", vec!["engine", "server", "app", "tests", "arrow-array", "tokio"]),
        ("embedding/", vec!["engine", "server", "app", "tests", "arrow-array", "tokio"]),
        ("cuda/", vec!["engine", "server", "app", "tests", "arrow-array", "tokio"]),
        ("encoder/", vec!["engine", "server", "app", "tests", "arrow-array", "tokio"]),
        ("engine/", vec!["server", "app", "tests"]),
        ("gpu/", vec!["engine", "server", "app", "tests", "arrow-array", "tokio"]),
        ("server/", vec!["app", "tests", "wgpu", "leptos"]),
        (
            "app/",
            vec![
                "server",
                "reader",
                "mapper",
                "tests",
                "datafusion",
                "object_store",
                "tokio",
                "axum",
                // What reads files is fetched with the first of them.
                "arrow-csv",
                "arrow-json",
                "parquet",
            ],
        ),
        ("mapper/", vec!["server", "reader", "tests", "datafusion", "object_store", "tokio"]),
        ("matcher/", vec!["server", "tests", "app"]),
        ("worker/", vec!["server", "reader", "tests", "datafusion", "object_store", "tokio"]),
        ("reader/", vec!["server", "tests", "datafusion", "object_store", "tokio"]),
    ];
    let mut offenders = Vec::new();
    for (folder, unknown) in walls {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for name in dependencies(&manifest) {
            if unknown.contains(&name.as_str()) {
                offenders.push(format!("{folder}Cargo.toml: {name}"));
            }
        }
    }
    assert_none(&offenders, "dependencies go one way");
}

#[test]
fn cargo_never_changes_the_lock_file() {
    let mut offenders = Vec::new();
    for (name, text) in text_files(&[".sh", "Makefile"]) {
        for (index, line) in text.lines().enumerate() {
            let builds = ["build", "test", "run", "clippy", "check", "fetch"]
                .iter()
                .any(|verb| line.contains(&format!("cargo {verb} ")));
            if builds && !line.contains("--locked") && !line.contains("--version") {
                offenders.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none(&offenders, "cargo is called with --locked");
}

/// Paths in backticks in the documents, as far as they are clearly files of this project.
#[test]
fn documents_name_files_that_exist() {
    let known = [
        "cuda/",
        "engine/",
        "embedding/",
        "gpu/",
        "encoder/",
        "server/",
        "app/",
        "mapper/",
        "matcher/",
        "reader/",
        "shaders/",
        "public/",
        "tests/",
        "tools/",
        "benches/",
        "worker/",
    ];
    let mut offenders = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap_or_default();
        for quoted in text.split('`').skip(1).step_by(2) {
            let plain = !quoted.contains([' ', '*', '<', '{', '…']);
            let inside = known.iter().any(|folder| quoted.starts_with(folder));
            let path = quoted.split("::").next().unwrap();
            if plain && inside && !root().join(path).exists() {
                offenders.push(format!("{document}: {quoted}"));
            }
        }
    }
    assert_none(&offenders, "documents name what is there");
}

#[test]
fn comments_name_documents_that_exist() {
    let files = files();
    let mut offenders = Vec::new();
    for (name, text) in text_files(&[".rs", ".wgsl", ".py", ".mjs", ".js", ".sh"]) {
        for word in text.split(|c: char| c.is_whitespace() || "()`\"',:;".contains(c)) {
            let word = word.trim_end_matches('.');
            if word.ends_with(".md") && word.len() > 3 && !word.contains(['*', '{']) {
                let file = word.rsplit('/').next().unwrap();
                if !files.iter().any(|(path, _)| path.ends_with(file)) {
                    offenders.push(format!("{name}: {word}"));
                }
            }
        }
    }
    assert_none(&offenders, "comments point at documents that are there");
}

/// Attributes that are read or heard by the user.
const SPOKEN: &[&str] = &[
    "label=",
    "title=",
    "placeholder=",
    "alt=",
    "none=",
    "aria-roledescription=",
    "aria-valuetext=",
];

/// Where the string literals of a Rust source lie, quotes included: not those in comments.
fn literals(source: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        // A quote as a character is no beginning of a string.
        let quote = ["'\"'", "'\\\"'"].iter().find(|quote| rest.starts_with(**quote));
        let raw = rest.strip_prefix("r").map(|rest| rest.trim_start_matches('#'));
        let is_word = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
        at += if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(quote) = quote {
            quote.len()
        } else if let Some(text) = raw.filter(|text| !is_word && text.starts_with('"')) {
            let opening = rest.len() - text.len();
            let end = format!("\"{}", "#".repeat(opening - 1));
            let length = opening + 1 + text[1..].find(&end).unwrap() + end.len();
            found.push(at..at + length);
            length
        } else if rest.starts_with('"') {
            let mut length = 1;
            while rest.as_bytes()[length] != b'"' {
                length += if rest.as_bytes()[length] == b'\\' { 2 } else { 1 };
            }
            found.push(at..at + length + 1);
            length + 1
        } else {
            rest.chars().next().unwrap().len_utf8()
        };
    }
    found
}

/// Whether a literal of the page is text: by where it stands in a view, or by how it reads.
fn is_text(before: &str, literal: &str, after: &str) -> bool {
    // What stands in braces is a value.
    let words: String = literal
        .split('{')
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
        .collect();
    if !words.contains(char::is_alphabetic) {
        return false;
    }
    let (before, after) = (before.trim_end(), after.trim_start());
    let after_tag = before.ends_with('>') && !before.ends_with("=>") && !before.ends_with("->");
    let before_tag = after
        .strip_prefix('<')
        .is_some_and(|tag| tag.starts_with(|c: char| c == '/' || c.is_ascii_alphabetic()));
    let between_blocks = before.ends_with('}') && after.starts_with('{');
    let alone = before.ends_with("view! {") && after.starts_with('}');
    let value = before.trim_end_matches("format!(").trim_end().trim_end_matches("move ||");
    let is_spoken = SPOKEN.iter().any(|name| value.trim_end().ends_with(name));
    let mut letters = words.trim_matches('"').chars();
    let is_sentence = letters.next().is_some_and(char::is_uppercase)
        && letters.next().is_some_and(char::is_lowercase)
        && words.contains(' ')
        && !before.ends_with("aria-keyshortcuts=");
    after_tag || before_tag || between_blocks || alone || is_spoken || is_sentence
}

/// The lines of a source of the page that spell a text, tests left out.
fn lines_with_text(source: &str) -> Vec<usize> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    literals(source)
        .into_iter()
        .filter(|at| is_text(&source[..at.start], &source[at.clone()], &source[at.end..]))
        .map(|at| source[..at.start].matches('\n').count() + 1)
        .collect()
}

#[test]
fn the_page_spells_no_text() {
    let mut offenders = Vec::new();
    for (name, source) in text_files(&[".rs"]) {
        if !name.starts_with("app/src/page/") || name.ends_with("tests.rs") {
            continue;
        }
        for line in lines_with_text(&source) {
            let text = source.lines().nth(line - 1).unwrap().trim();
            offenders.push(format!("{name}:{line}: {text}"));
        }
    }
    assert_none(&offenders, "what the user reads is in app/src/texts");
}

/// Leptos' own keep what listened to them for good; `page/lasting.rs` and `page/ui/each.rs`
/// have those that do not.
#[test]
fn the_page_lets_go_of_what_is_gone() {
    let mut offenders = Vec::new();
    for (name, text) in text_files(&[".rs"]) {
        let is_own = name.ends_with("page/lasting.rs") || name.ends_with("page/ui/each.rs");
        if !name.starts_with("app/src/page") || is_own {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let leptos = ["RwSignal::new(", " signal(", "Memo::new(", "<For "];
            if leptos.iter().any(|what| line.contains(what)) {
                offenders.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert_none(&offenders, "signals, memos and lists are Lasting, Derived and Each");
}

#[test]
fn texts_are_told_from_other_literals() {
    let texts = [
        r#"<p class="quiet">"nothing"</p>"#,
        "<button>\n    \"Stop\"\n</button>",
        r#"{icon} "so far" {count}"#,
        r#"view! { "as found" }"#,
        r#"<input aria-label="rows"/>"#,
        r#"title=move || format!("row {}", at())"#,
        r#"page.notify(Level::Info, "Nothing is here.")"#,
    ];
    for text in texts {
        assert_eq!(lines_with_text(text).len(), 1, "{text}");
    }
    assert_eq!(lines_with_text(texts[1]), [2], "the line is named");
    let others = [
        r#"<p class="button small" aria-label=texts::rows::COPY>{texts::rows::COPY}</p>"#,
        r#"Part::Views => "views","#,
        r#"style:width=move || format!("{}%", share())"#,
        r#"if at == "Home" { '"' } else { 'x' } // <p>"text"</p>"#,
        r#"<span>" / " {count}</span>"#,
        "#[cfg(test)] mod tests { // \n \"A text\" }",
    ];
    for other in others {
        assert_eq!(lines_with_text(other), Vec::<usize>::new(), "{other}");
    }
}
