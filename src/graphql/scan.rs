//! The scan of a document's text, before the parser sees it.
//!
//! A parser descends once per bracket, and so does whatever walks what it has read. One linear pass bounds them before
//! anything is built. It skips strings, block strings and comments exactly where the parser's lexer does; a string that does
//! not end is refused here.

use crate::error::{Error, ErrorCode, Message, Nested, Result};

/// Largest document, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Most brackets that may be open at once.
pub const MAX_BRACKETS: usize = 64;
/// Longest name or number, in bytes: error messages repeat names, so a long one would be multiplied.
pub const MAX_WORD: usize = 128;

const BLOCK_QUOTE: &[u8] = br#"""""#;
const ESCAPED_BLOCK_QUOTE: &[u8] = br#"\""""#;

/// Refuses a document that the parser must not see.
///
/// # Errors
/// `DOCUMENT_TOO_LARGE`, `DOCUMENT_TOO_DEEP`, `DOCUMENT_TOO_COMPLEX` for a name or number that is too long, and
/// `GRAPHQL_PARSE_FAILED` for a string without an end.
pub fn scan(document: &str) -> Result<()> {
    if document.len() > MAX_BYTES {
        return Err(Error::of(ErrorCode::DocumentTooLarge));
    }
    let mut rest = document.as_bytes();
    let mut open = 0_usize;
    let mut word = 0;
    while let Some((&byte, after)) = rest.split_first() {
        word = if byte.is_ascii_alphanumeric() || byte == b'_' { word + 1 } else { 0 };
        if word > MAX_WORD {
            return Err(Error::new(Message::WordTooLong { most: MAX_WORD }));
        }
        rest = match byte {
            b'"' => after_string(rest)?,
            b'#' => after_comment(after),
            b'{' | b'[' | b'(' => {
                open += 1;
                if open > MAX_BRACKETS {
                    return Err(Error::new(Message::NestsTooDeeply {
                        most: MAX_BRACKETS as u64,
                        what: Nested::Brackets,
                    }));
                }
                after
            }
            // A bracket that closes nothing, or another kind, ends the parse right there.
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                after
            }
            _ => after,
        };
    }
    Ok(())
}

/// What follows the comment whose text `text` starts with.
pub(super) fn after_comment(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(text.len());
    &text[end..]
}

/// What follows the string that `text` starts with.
pub(super) fn after_string(text: &[u8]) -> Result<&[u8]> {
    let end = match text.strip_prefix(BLOCK_QUOTE) {
        Some(block) => after_block_quote(block),
        None => after_quote(&text[1..]),
    };
    end.ok_or_else(|| Error::new(Message::StringUnterminated))
}

fn after_block_quote(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        if let Some(after) = text.strip_prefix(BLOCK_QUOTE) {
            return Some(after);
        }
        text = match text.strip_prefix(ESCAPED_BLOCK_QUOTE) {
            Some(after) => after,
            None => text.get(1..)?,
        };
    }
}

fn after_quote(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = match text.first()? {
            b'"' => return Some(&text[1..]),
            b'\r' | b'\n' => return None,
            b'\\' => text.get(2..)?,
            _ => &text[1..],
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graphql::language::{executable, parse};

    /// Reads a document as far as it goes.
    fn read(document: &str) -> bool {
        parse(document).and_then(|parsed| executable(&parsed, document)).is_ok()
    }

    fn refusal(document: &str) -> Option<ErrorCode> {
        scan(document).err().map(|error| error.code)
    }

    #[test]
    fn a_document_of_16_kib_passes_and_one_byte_more_does_not() {
        let document = format!("{{ a }}{}", " ".repeat(MAX_BYTES - 5));
        assert_eq!(refusal(&document), None);
        assert_eq!(refusal(&format!("{document} ")), Some(ErrorCode::DocumentTooLarge));
    }

    #[test]
    fn brackets_nest_64_deep_and_the_parser_survives_it() {
        for (open, close) in [("{a", "}"), ("{a(b:[", "])}"), ("{a(b:{c:[[", "]]})}")] {
            let brackets = open.bytes().filter(|byte| b"{[(".contains(byte)).count();
            let times = MAX_BRACKETS / brackets;
            let nested = format!("{}{}", open.repeat(times), close.repeat(times));
            assert_eq!(refusal(&nested), None, "{open}");
            let _ = read(&nested);
            let deeper = format!("{}{}", open.repeat(times + 1), close.repeat(times + 1));
            assert_eq!(refusal(&deeper), Some(ErrorCode::DocumentTooDeep), "{open}");
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let many = "[".repeat(100);
        for inside in [
            format!("{{ a(b: \"{many}\") }}"),
            format!("{{ a(b: \"\\\"{many}\") }}"),
            format!("{{ a(b: \"\"\"\"{many}\"\"\") }}"),
            format!("{{ a(b: \"\"\"\\\"\"\"\n{many}\"\"\") }}"),
            format!("{{ a # \"{many}\n }}"),
            format!("{{ a # {many}\r }}"),
        ] {
            assert_eq!(refusal(&inside), None, "{inside}");
            assert!(read(&inside), "{inside}");
        }
    }

    #[test]
    fn brackets_after_strings_and_comments_count() {
        let many = "[".repeat(100);
        for outside in [
            format!("{{ a(b: \"\"{many}"),
            format!("{{ a(b: \"\\\\\"{many}"),
            format!("{{ a(b: \"\"\"\"\"\"{many}"),
            format!("{{ a(b: \"\"\"\\\\\"\"\"\"\"\"{many}"),
            format!("{{ a # \"\r(b: {many}"),
            format!("{{ a # \"\"\"\n(b: {many}"),
        ] {
            assert_eq!(refusal(&outside), Some(ErrorCode::DocumentTooDeep), "{outside}");
        }
    }

    #[test]
    fn a_string_without_an_end_never_reaches_the_parser() {
        let many = "[".repeat(5_000);
        for unended in [format!("{{ a(b: [\"\"\" x \" {many}"), format!("{{ a(b: \"\n{many}"), "{ a(b: \"\\".to_owned()]
        {
            assert_eq!(refusal(&unended), Some(ErrorCode::ParseFailed));
        }
    }

    #[test]
    fn a_word_is_at_most_128_bytes() {
        assert_eq!(refusal(&format!("{{ {} }}", "a".repeat(MAX_WORD))), None);
        assert_eq!(refusal(&format!("{{ {} }}", "a".repeat(MAX_WORD + 1))), Some(ErrorCode::DocumentTooComplex));
        assert_eq!(refusal(&format!("{{ a(b: \"{}\") }}", "a".repeat(1_000))), None);
        assert_eq!(refusal(&format!("{{ a(b: {}) }}", "9".repeat(1_000))), Some(ErrorCode::DocumentTooComplex));
    }

    /// What confuses lexers, and runs of brackets that overflow the parser when they are taken for code.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "\"",
                "\"\"",
                "\"\"\"",
                "\\\"",
                "\\\"\"\"",
                "\\\\",
                "\\",
                "#",
                "\n",
                "\r",
                "\r\n",
                " ",
                ",",
                "\u{feff}",
                "é",
                "\u{2028}",
                "a",
                "on",
                "...",
                "... on A ",
                "fragment f on A ",
                "query ",
                "$v",
                ":",
                "a:",
                "b: ",
                "@d",
                "!",
                "=",
                "1",
                "-1.5e3",
                "\\u00e9",
                "\\ud800",
                "null",
                "{ a(b: ",
                "{ a(b: [",
                "query($v: ",
                ") }",
                "]) }",
                "{a",
                "}",
                "{",
                "[",
                "]",
                "(",
                ")",
            ])
            .prop_map(str::to_owned),
            (prop::sample::select(vec!["[", "{", "{a", "{a:", "(", "[{a:", "... {", "{a(b:"]), 1_usize..900)
                .prop_map(|(open, times)| open.repeat(times)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        // An overflow aborts the whole test binary, which is how this test fails.
        #[test]
        fn what_passes_never_overflows_the_parser(
            start in prop::sample::select(vec!["", "{ a(b: ", "{ a(b: [", "query($v: [A] = ", "{ a "]),
            pieces in prop::collection::vec(piece(), 0..14),
        ) {
            let document = format!("{start}{}", pieces.concat());
            if scan(&document).is_ok() {
                let _ = read(&document);
            }
        }
    }
}
