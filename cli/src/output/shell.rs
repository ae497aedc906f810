//! Command lines as a shell takes them.

use std::fmt::Write;

use super::safe;

/// `words` as one line that a shell reads as these words, and that a terminal can be shown: words
/// with hidden characters are written as `$'…'`, which bash, zsh and ksh know.
pub(crate) fn line(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./,@%+=".contains(c);
    if word.contains(safe::is_hidden) {
        escaped(word)
    } else if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn escaped(word: &str) -> String {
    let mut line = String::from("$'");
    for c in word.chars() {
        match c {
            '\n' => line.push_str(r"\n"),
            '\t' => line.push_str(r"\t"),
            '\'' | '\\' => {
                line.push('\\');
                line.push(c);
            }
            hidden if safe::is_hidden(hidden) => {
                let mut bytes = [0; 4];
                for byte in hidden.encode_utf8(&mut bytes).bytes() {
                    // Three octal digits end by themselves, whatever follows.
                    let written = write!(line, "\\{byte:03o}");
                    debug_assert!(written.is_ok());
                }
            }
            shown => line.push(shown),
        }
    }
    line.push('\'');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_see_more_in_them() {
        assert_eq!(quoted("need"), "need");
        assert_eq!(quoted("need help"), "'need help'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("~"), "'~'");
    }

    #[test]
    fn hidden_characters_are_written_out() {
        assert_eq!(quoted("a\nb'\\\u{1b}1"), r"$'a\nb\'\\\0331'");
        assert_eq!(quoted("a\u{202e}b"), r"$'a\342\200\256b'");
    }

    #[test]
    fn a_shell_reads_the_words_back() {
        let words = [
            "printf",
            "%s|",
            "it's",
            "a  b",
            "$HOME `x` \"y\" *",
            "-n",
            "ä é",
        ];
        let words = words.map(str::to_owned);
        let line = line(&words);
        let said = std::process::Command::new("sh")
            .args(["-c", &line])
            .output();
        let out = String::from_utf8(said.unwrap().stdout).unwrap();
        assert_eq!(out, words[2..].join("|") + "|");
    }
}
