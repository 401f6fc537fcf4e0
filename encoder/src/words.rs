//! Texts to tokens, by the `tokenizer.json` beside a model.

use std::path::Path;

use serde_json::Value;
use tokenizers::{Tokenizer, TruncationParams};

use crate::error::{Error, Failure};

/// Where nothing says how many tokens a text may have.
const TOKENS_MAX: usize = 512;

/// A text, as a model takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    pub ids: Vec<i64>,
    /// 1 for a token, 0 for padding.
    pub mask: Vec<i64>,
    pub types: Vec<i64>,
    /// What further places are filled with, where a model wants them.
    pub padding: i64,
    /// Whether the text was longer.
    pub is_cut: bool,
}

/// A tokenizer that cuts long texts off.
#[derive(Debug)]
pub struct Words {
    tokenizer: Tokenizer,
    padding: i64,
    most: usize,
}

impl Words {
    /// Reads a `tokenizer.json`. Texts are cut at the least of `most`, the tokenizer's own limit,
    /// and the `model_max_length` of a `tokenizer_config.json` beside it; at 512 without any.
    pub fn open(path: &Path, most: Option<usize>) -> Result<Self, Error> {
        let bad = |reason: String| Error::BadTokenizer { path: path.into(), reason };
        let unreadable = |error: std::io::Error| Error::Unreadable {
            path: path.into(),
            reason: error.to_string(),
        };
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let read = Tokenizer::from_bytes(bytes);
        let mut tokenizer = read.map_err(|error| bad(error.to_string()))?;
        let own = tokenizer.get_truncation().map(|truncation| truncation.max_length);
        let limits = [most, own, said_beside(path)];
        let most = limits.into_iter().flatten().min().unwrap_or(TOKENS_MAX);
        let padding = tokenizer.get_padding().map_or(0, |padding| i64::from(padding.pad_id));
        tokenizer.with_padding(None);
        let mut words = Self { tokenizer, padding, most: 0 };
        words.limit(most).map_err(bad)?;
        Ok(words)
    }

    /// Cuts texts at `most` tokens, where they were cut later.
    pub(crate) fn limit_to(&mut self, most: usize, path: &Path) -> Result<(), Error> {
        let bad = |reason: String| Error::BadTokenizer { path: path.into(), reason };
        if most < self.most { self.limit(most).map_err(bad) } else { Ok(()) }
    }

    fn limit(&mut self, most: usize) -> Result<(), String> {
        // Those that it puts around every text.
        let mut bare = self.tokenizer.clone();
        bare.with_truncation(None).map_err(|error| error.to_string())?;
        let around = bare.encode_fast("", true).map_err(|error| error.to_string())?.len();
        if most <= around {
            return Err(format!("texts have {most} tokens at most, and {around} are not theirs"));
        }
        let params = TruncationParams { max_length: most, ..TruncationParams::default() };
        self.tokenizer.with_truncation(Some(params)).map_err(|error| error.to_string())?;
        self.most = most;
        Ok(())
    }

    /// The most tokens that a text has.
    pub fn most(&self) -> usize {
        self.most
    }

    pub fn tokens(&self, text: &str) -> Result<Tokens, Failure> {
        let not = |error: tokenizers::Error| Failure::NotTokens(error.to_string());
        let encoding = self.tokenizer.encode_fast(text, true).map_err(not)?;
        if encoding.is_empty() {
            return Err(Failure::NotTokens("it has none".to_owned()));
        }
        let wide = |values: &[u32]| values.iter().map(|value| i64::from(*value)).collect();
        Ok(Tokens {
            ids: wide(encoding.get_ids()),
            mask: wide(encoding.get_attention_mask()),
            types: wide(encoding.get_type_ids()),
            padding: self.padding,
            is_cut: !encoding.get_overflowing().is_empty(),
        })
    }
}

/// The limit that `tokenizer_config.json` says; an absurdly large one stands for none.
fn said_beside(path: &Path) -> Option<usize> {
    let text = std::fs::read_to_string(path.with_file_name("tokenizer_config.json")).ok()?;
    let record: Value = serde_json::from_str(&text).ok()?;
    let most = record["model_max_length"].as_u64()?;
    usize::try_from(most).ok().filter(|most| (1..=1 << 16).contains(most))
}
