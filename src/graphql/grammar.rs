//! The grammar of GraphQL, where `apollo-parser` does not keep to the specification.
//!
//! It trips over commas that stand where it looks ahead, although they mean nothing anywhere; it does not know the descriptions
//! of operations, fragments and variables; and it drops, without a word, an argument or a field of an object that lacks its
//! colon. So commas and descriptions are made white space before it reads, which leaves every position as it is, and what it
//! would drop is refused.

use std::borrow::Cow;
use std::ops::Range;

use apollo_compiler::parser::Parser;

use super::scan::{after_comment, after_string};

/// The document as the parser can read it; or the offset of what is not GraphQL: what stands where a colon has to, or a
/// description with a wrong escape.
pub fn normalize(document: &str) -> Result<Cow<'_, str>, usize> {
    let mut reader = Reader::default();
    let mut rest = document.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let start = document.len() - rest.len();
        let (token, after) = match byte {
            b'"' => match after_string(rest) {
                Ok(after) => (Token::Text, after),
                // The parser tells.
                Err(_) => break,
            },
            b'#' => (Token::Ignored, after_comment(after)),
            b',' => (Token::Comma, after),
            _ if is_of_word(byte) => {
                let end = rest.iter().position(|byte| !is_of_word(*byte)).unwrap_or(rest.len());
                (Token::Word(&rest[..end]), &rest[end..])
            }
            // White space, and U+FEFF, the only other character that is ignored.
            _ if byte.is_ascii_whitespace() || !byte.is_ascii() => (Token::Ignored, after),
            _ => (Token::Mark(byte), after),
        };
        rest = after;
        reader.read(token, start..document.len() - rest.len())?;
    }
    if let Some(description) = reader.descriptions.iter().find(|at| !is_text(&document[at.start..at.end])) {
        return Err(description.start);
    }
    if reader.commas.is_empty() && reader.descriptions.is_empty() {
        return Ok(Cow::Borrowed(document));
    }
    let mut bytes = document.as_bytes().to_vec();
    for at in reader.commas.into_iter().chain(reader.descriptions.into_iter().flatten()) {
        if !matches!(bytes[at], b'\r' | b'\n') {
            bytes[at] = b' ';
        }
    }
    // Whole tokens were made spaces, so it is a text.
    String::from_utf8(bytes).map(Cow::Owned).map_err(|error| error.utf8_error().valid_up_to())
}

/// Whether a text is well-formed, its escapes above all.
fn is_text(text: &str) -> bool {
    Parser::new().parse_ast(format!("{{ a(b: {text}) }}"), "description").is_ok()
}

/// Names and numbers, and the dots of a spread.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Ignored,
    Comma,
    Text,
    Word(&'a [u8]),
    /// Everything else, a byte each.
    Mark(u8),
}

/// What a bracket holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// As the next token tells.
    ArgumentsOrVariables,
    /// Arguments, or the fields of an object.
    Entries(Next),
    Variables,
    /// The items of a list, or a type.
    Items,
    Selections,
}

/// What comes next of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Name,
    Colon,
    Value,
}

#[derive(Default)]
struct Reader {
    /// The brackets that are open.
    open: Vec<Holds>,
    /// Whether the last token was `=`, so that a value follows.
    assigns: bool,
    /// A text that is a description if the next token is what can be described.
    text: Option<Range<usize>>,
    descriptions: Vec<Range<usize>>,
    commas: Vec<usize>,
}

impl Reader {
    fn read(&mut self, token: Token<'_>, at: Range<usize>) -> Result<(), usize> {
        match token {
            Token::Ignored => return Ok(()),
            Token::Comma => {
                self.commas.push(at.start);
                return Ok(());
            }
            _ => {}
        }
        if self.open.last() == Some(&Holds::ArgumentsOrVariables) {
            self.open.pop();
            let are_variables = matches!(token, Token::Mark(b'$') | Token::Text);
            self.open.push(if are_variables { Holds::Variables } else { Holds::Entries(Next::Name) });
        }
        self.describe(token, &at);
        match (self.open.last_mut(), token) {
            (Some(Holds::Entries(next @ Next::Colon)), Token::Mark(b':')) => *next = Next::Value,
            (Some(Holds::Entries(Next::Colon)), _) => return Err(at.start),
            (Some(Holds::Entries(next @ Next::Name)), Token::Word(_)) => *next = Next::Colon,
            // The dollar of a variable comes before its name.
            (Some(Holds::Entries(next @ Next::Value)), token) if token != Token::Mark(b'$') => *next = Next::Name,
            _ => {}
        }
        if let Token::Mark(mark) = token {
            self.bracket(mark);
        }
        self.assigns = token == Token::Mark(b'=');
        Ok(())
    }

    /// Takes a description out.
    fn describe(&mut self, token: Token<'_>, at: &Range<usize>) {
        let describes = match self.open.last() {
            None => matches!(token, Token::Word(b"query" | b"mutation" | b"subscription" | b"fragment")),
            Some(Holds::Variables) => token == Token::Mark(b'$'),
            _ => false,
        };
        self.descriptions.extend(self.text.take().filter(|_| describes));
        let can_describe = matches!(self.open.last(), None | Some(Holds::Variables)) && !self.assigns;
        self.text = (token == Token::Text && can_describe).then(|| at.clone());
    }

    fn bracket(&mut self, mark: u8) {
        let holds = match mark {
            b'(' => Holds::ArgumentsOrVariables,
            b'[' => Holds::Items,
            b'{' if matches!(self.open.last(), None | Some(Holds::Selections)) => Holds::Selections,
            b'{' => Holds::Entries(Next::Name),
            b')' | b']' | b'}' => {
                self.open.pop();
                return;
            }
            _ => return,
        };
        self.open.push(holds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(document: &str) -> String {
        let normalized = normalize(document).unwrap_or_else(|at| panic!("{document} is refused at {at}"));
        assert_eq!(normalized.len(), document.len());
        normalized.into_owned()
    }

    #[test]
    fn commas_are_white_space_but_for_those_in_texts_and_comments() {
        assert_eq!(normalized("{ a,: b(c: [1,,2]), ...,F }"), "{ a : b(c: [1  2])  ... F }");
        for document in ["{ a(b: \"1,2\") }", "{ a(b: \"\"\"1,\\\"\"\",2\"\"\") }", "{ a # 1,2\n }"] {
            assert_eq!(normalized(document), document);
        }
    }

    #[test]
    fn descriptions_are_white_space_and_values_are_not() {
        for (document, expected) in [
            ("\"x\" query { a }", "    query { a }"),
            ("\"\"\"é\n,\"\"\" fragment F on A { a }", "     \n     fragment F on A { a }"),
            ("query(\"x\" $a: B = \"y\" \"z\" $c: D) { a }", "query(    $a: B = \"y\"     $c: D) { a }"),
        ] {
            assert_eq!(normalized(document), expected);
        }
        for document in [
            "\"x\" { a }",
            "\"x\" \"y\"",
            "query($a: B = \"x\" $c: [D] = [\"y\"] $e: F = {g: \"z\"}) { a(b: \"x\" c: $a) }",
            "{ query(a: \"x\") mutation }",
        ] {
            assert_eq!(normalized(document), document);
        }
    }

    #[test]
    fn a_description_is_a_well_formed_text() {
        assert_eq!(normalize("\"\\u{1F476}\" query { a }").map(|text| text.len()), Ok(23));
        for wrong in ["\"\\x\" query { a }", "\"\\ud800\" query { a }"] {
            assert_eq!(normalize(wrong), Err(0), "{wrong}");
        }
    }

    #[test]
    fn an_argument_or_a_field_of_an_object_has_a_colon() {
        for (document, at) in [
            ("{ a(b c: 1) }", 6),
            ("{ a(b) }", 5),
            ("{ a(b: {c d: 1}) }", 10),
            ("{ a(b: [{c: 1 d}]) }", 15),
            ("{ a(b: $c d $e) }", 12),
            ("{ a @b(c 1) }", 9),
            ("query($a: B = {c d: 1} @e(f)) { a }", 17),
            ("query($a: B = {c: 1} @e(f)) { a }", 25),
        ] {
            assert_eq!(normalize(document), Err(at), "{document}");
        }
        for document in [
            "query A($a: [B!]! = [{c: {}, d: -1.5e3, e: F}], $g: H) @i(j: true) { a(b: $a c: {d: $g}) { e: f } }",
            "{ a(b: {c: []} d: \"\") @e(f: [$g {h: null}]) { ... on I { j } ...K @l(m: 1) } }",
        ] {
            normalized(document);
        }
    }
}
