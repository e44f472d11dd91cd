//! A text that is almost JSON, as JSON: with single quotes, a comma too many, the words of Python,
//! or several documents one after the other. Every byte stays in its place, so places in it are
//! places in the text. Knows no scenario.

use jsonc_parser::tokens::Token;
use jsonc_parser::{Scanner, ScannerOptions};

use super::leniency::{Leniencies, Leniency};
use super::source::{BYTE_ORDER_MARK, Span};

/// Strict but for the quotes: a number is written as JSON has it.
const OPTIONS: ScannerOptions = ScannerOptions {
    allow_single_quoted_strings: true,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// A text as JSON.
#[derive(Debug)]
pub(super) struct Loose {
    pub(super) text: String,
    pub(super) documents: Vec<Span>,
    pub(super) leniencies: Leniencies,
}

impl Loose {
    /// What `text` is as JSON; `None` if nothing of it can be mended. What else is wrong with it
    /// stays so.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut mending = Mending::new(text);
        let marked = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let before = text.len() - marked.len();
        let mut scanner = Scanner::new(marked, &OPTIONS);
        loop {
            let scanned = scanner.scan();
            let (start, end) = (scanner.token_start(), scanner.token_end());
            let token = match scanned {
                Ok(Some(token)) => token,
                Ok(None) => return mending.finish(),
                // The scanner knows words as keys alone, and stops at the comma after another.
                Err(_) => Token::Word(marked.get(start..end)?),
            };
            mending.take(&token, Span::new(before + start, end - start))?;
        }
    }
}

/// A text while it is mended, token by token.
struct Mending {
    bytes: Vec<u8>,
    documents: Vec<Span>,
    leniencies: Leniencies,
    /// Where the arrays and objects that are open begin.
    open: Vec<usize>,
    /// Whether something stands in the innermost one.
    has_content: bool,
    /// A comma that nothing has followed yet.
    comma: Option<Span>,
}

impl Mending {
    fn new(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            documents: Vec::new(),
            leniencies: Leniencies::default(),
            open: Vec::new(),
            has_content: false,
            comma: None,
        }
    }

    /// Takes the next token, which stands at `at`; `None` if it has no place in any JSON.
    fn take(&mut self, token: &Token<'_>, at: Span) -> Option<()> {
        match token {
            Token::Comma => {
                let separates = !self.open.is_empty() && self.has_content && self.comma.is_none();
                if separates {
                    self.comma = Some(at);
                } else {
                    self.blank(at);
                }
            }
            Token::OpenBrace | Token::OpenBracket => {
                self.comma = None;
                self.open.push(at.start);
                self.has_content = false;
            }
            Token::CloseBrace | Token::CloseBracket => {
                if let Some(comma) = self.comma.take() {
                    self.blank(comma);
                }
                let start = self.open.pop()?;
                self.value(Span::new(start, at.end() - start));
            }
            Token::String(_) => {
                self.requote(at);
                self.value(at);
            }
            Token::Word(word) => {
                let json = match *word {
                    "None" => "null",
                    "True" => "true",
                    "False" => "false",
                    // Whoever reads the JSON says what is wrong with it.
                    other if !other.is_empty() && !self.open.is_empty() => other,
                    _ => return None,
                };
                if json != *word {
                    self.bytes[at.start..at.end()].copy_from_slice(json.as_bytes());
                    self.leniencies.add(Leniency::PythonWords, at);
                }
                self.value(at);
            }
            Token::Number(_) | Token::Boolean(_) | Token::Null => self.value(at),
            Token::Colon => {}
            Token::CommentLine(_) | Token::CommentBlock(_) => return None,
        }
        Some(())
    }

    /// A whole value; outside of all others it is a document.
    fn value(&mut self, at: Span) {
        (self.comma, self.has_content) = (None, true);
        if self.open.is_empty() {
            self.documents.push(at);
        }
    }

    fn blank(&mut self, comma: Span) {
        self.bytes[comma.start] = b' ';
        self.leniencies.add(Leniency::StrayComma, comma);
    }

    fn requote(&mut self, at: Span) {
        let quoted = &mut self.bytes[at.start..at.end()];
        let [first @ b'\'', inner @ .., last] = quoted else { return };
        (*first, *last) = (b'"', b'"');
        // No key or word has a quote inside; whichever it is, it is not a known one.
        inner.iter_mut().filter(|byte| **byte == b'"').for_each(|byte| *byte = b'\'');
        self.leniencies.add(Leniency::SingleQuotes, Span::new(at.start, 1));
    }

    fn finish(mut self) -> Option<Loose> {
        if !self.open.is_empty() {
            return None;
        }
        if let Some(second) = self.documents.get(1) {
            self.leniencies.add(Leniency::SeveralDocuments, Span::new(second.start, 1));
        }
        let Self { bytes, documents, leniencies, .. } = self;
        let text = String::from_utf8(bytes).ok()?;
        Some(Loose { text, documents, leniencies })
            .filter(|loose| !loose.documents.is_empty() && !loose.leniencies.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> Option<String> {
        Loose::read(text).map(|loose| loose.text)
    }

    #[test]
    fn every_byte_stays_in_its_place() {
        for (text, json) in [
            ("[{'id': 1}]", "[{\"id\": 1}]"),
            ("[1, 2,]", "[1, 2 ]"),
            ("[,1,,2]", "[ 1, 2]"),
            ("{'a': None, 'b': [True, False,],}", "{\"a\": null, \"b\": [true, false ] }"),
            ("[1],\n[2],", "[1] \n[2] "),
            ("\u{feff}['é']", "\u{feff}[\"é\"]"),
            ("['a\"b']", "[\"a'b\"]"),
        ] {
            assert_eq!(mended(text).as_deref(), Some(json), "{text}");
        }
    }

    #[test]
    fn documents_are_told_apart() {
        let text = "{\"a\": 1}\n[2] {}";
        let loose = Loose::read(text).unwrap();
        let spans: Vec<&str> =
            loose.documents.iter().map(|span| &text[span.start..span.end()]).collect();
        assert_eq!(spans, ["{\"a\": 1}", "[2]", "{}"]);
    }

    #[test]
    fn what_is_wrong_otherwise_is_not_mended() {
        for text in [
            "",
            "[1]",
            "[1",
            "[1]]",
            "[nil]",
            "[1] # rows",
            "[1,] // rows",
            "['a]",
            "[+1,]",
            "Result: [1]",
        ] {
            assert_eq!(mended(text), None, "{text}");
        }
    }
}
