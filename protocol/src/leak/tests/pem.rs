//! Private keys in PEM blocks: with pages and rules in them, cut off, and prose that only names a block.

use super::*;

fn begin(label: &str) -> String {
    format!("{0}BEGIN {label}{0}", "-".repeat(5))
}

fn end(label: &str) -> String {
    format!("{0}END {label}{0}", "-".repeat(5))
}

/// So many lines of a key.
fn lines(width: usize, count: usize) -> Vec<String> {
    let key = BASE64.encode(word(width.saturating_mul(count)).as_bytes());
    let lines = key.as_bytes().chunks(width).map(String::from_utf8_lossy);
    lines.take(count).map(String::from).collect()
}

/// `text` with the key in it masked, of which nothing is left.
fn masked(text: &str, key: &[String]) -> String {
    let masked = mask(text, every).unwrap();
    let masked = masked.unwrap_or_else(|| panic!("nothing found in {text}"));
    assert_eq!(masked.rules, BTreeSet::from([Rule::PrivateKey]), "{text}");
    for line in key {
        assert!(!masked.text.contains(line.as_str()), "{}", masked.text);
    }
    masked.text
}

#[test]
fn ordinary_mail_that_names_a_private_key_is_left_alone() {
    let (begin, rsa) = (begin("PRIVATE KEY"), begin("RSA PRIVATE KEY"));
    let (commit, sha256) = (random(HEX, 40), random(HEX, 64));
    for text in [
        format!("`{rsa}` stands in a fixture.\nFixed in commit {commit}."),
        format!("`{rsa}` in a fixture:\n{commit}\n{sha256}\n"),
        format!("We look for {begin} in uploads.\n\nRelease:\nsha256 {sha256}  app.tar.gz"),
        format!("{begin}\n{sha256}  app.tar.gz\n{sha256}  lib.tar.gz"),
        format!("let pem = \"{begin}\";\n[[package]]\nchecksum = \"{sha256}\""),
        format!("starts_with(\"{begin}\")\nSee /srv/Builds/team/projects/app/src/Main/scan"),
        format!("`{begin}`\n/srv/Builds/team/projects/app2/src/Main/scan"),
        format!("\"{begin}\";\n@Test void shouldRejectPrivateKeyWhenHeaderMissing() {{}}"),
        format!("{begin}\nshouldRejectPrivateKeyWhenHeaderMissing\n"),
        format!("{begin}\n\nintegrity sha1-{0}\nnext {0}\n", word(40)),
        format!(
            "`{begin}` is refused, since Monday.\nThe id of the upload is {}",
            word(64)
        ),
        format!("{begin}\n...\n{}\nfixed in {commit}", end("PRIVATE KEY")),
        format!("`{begin}` to `{}`, see {commit}", end("PRIVATE KEY")),
        format!(
            "from `{begin}`, as of {commit}, to `{}`",
            end("PRIVATE KEY")
        ),
        format!(
            "{begin} is refused, {} is not\n{}",
            self::begin("PUBLIC KEY"),
            word(64)
        ),
    ] {
        assert_eq!(find(&text, every), None, "{text}");
    }
}

#[test]
fn half_a_key_is_masked_to_its_last_line_and_the_rest_of_the_mail_is_kept() {
    let (begin, mask) = (begin("PRIVATE KEY"), Rule::PrivateKey.mask());
    for (width, count) in [(64, 1), (64, 3), (76, 2), (16, 6)] {
        let key = lines(width, count);
        let last: String = key[0].chars().take(10).collect();
        let quoted = |before: &str, behind: &str| {
            let lines = key.iter().chain([&last]).map(String::as_str);
            lines
                .flat_map(|line| [before, line, behind])
                .collect::<String>()
        };
        for (half, behind) in [
            (
                format!("{begin}\n{}", quoted("", "\n")),
                "\nIs this yours? See the wiki.",
            ),
            (
                format!("{begin}\n{}", quoted("", "\r\n")),
                "\nIs this yours?",
            ),
            (
                format!("{begin}\n{}", quoted("> ", "\n")),
                "\nIs this yours?",
            ),
            (format!("{begin}\",\n{}", quoted("  \"", "\",\n")), "\n]"),
            (
                format!("{begin}\\n{}", quoted("", "\\n")),
                "\", \"type\": \"a\"",
            ),
            (format!("{begin} {}", quoted("", " ")), "-- is this yours?"),
            (
                format!("{begin}\nComment: a\n\n{}", quoted("", "\n")),
                "\nIs this yours?",
            ),
            (
                format!("{begin}\n   2  {}", quoted("", "\n   3  ")),
                "\nIs this yours?",
            ),
            (
                format!("{begin}\n2: {}", quoted("", "\n3: ")),
                "\nIs this yours?",
            ),
        ] {
            let left = masked(&format!("see {half}{behind}"), &key);
            assert!(left.starts_with(&format!("see {mask}")), "{left}");
            assert!(left.ends_with(behind), "{left}");
            assert!(!left.contains(&last), "{left}");
        }
    }
}

#[test]
fn half_a_key_in_a_log_is_masked_where_each_line_begins_as_the_block_does() {
    let (begin, mask, key) = (begin("PRIVATE KEY"), Rule::PrivateKey.mask(), lines(64, 3));
    for before in ["builder-1  | ", "[pod/a/b] ", "a.pem: ", "+", "// "] {
        let lines = key.iter().flat_map(|line| [before, line, "\n"]);
        let lines: String = lines.collect();
        let text = format!("see\n{before}{begin}\n{lines}{before}done, it says\n");
        let left = masked(&text, &key);
        assert_eq!(
            left,
            format!("see\n{before}{mask}\n{before}done, it says\n")
        );
    }
}

#[test]
fn a_row_of_dashes_in_a_key_does_not_end_it() {
    let (begin, end, mask) = (
        begin("PRIVATE KEY"),
        end("PRIVATE KEY"),
        Rule::PrivateKey.mask(),
    );
    let key = lines(64, 4);
    for row in [
        "-----",
        "--------",
        "------ page 2 ------",
        "|------|",
        "--More--------",
    ] {
        let (first, rest) = (&key[0], key[1..].join("\n"));
        let (all, two) = (key.join("\n"), key[..2].join("\n"));
        for text in [
            format!("a {begin}\n{first}\n{row}\n{rest}\n{end} b"),
            format!("a {begin}\n{row}\n{all}\n{end} b"),
            format!("a {begin}\nnote\n{row}\n{row}\n{all}\n{row}\n{end} b"),
            format!("a {begin} |\n{row}\n| {all} | {end} b"),
        ] {
            assert_eq!(masked(&text, &key), format!("a {mask} b"), "{text}");
        }
        // Cut off, too.
        let left = masked(
            &format!("a {begin}\n{first}\n{row}\n{two}\n\nand so on"),
            &key[..2],
        );
        assert_eq!(left, format!("a {mask}\n\nand so on"));
    }
}

#[test]
fn a_block_does_not_reach_into_the_next_one() {
    let (begin, mask) = (begin("PRIVATE KEY"), Rule::PrivateKey.mask());
    let (key, certificate) = (lines(64, 3), framed("CERTIFICATE"));
    let half = key.join("\n");
    let left = masked(&format!("{begin}\n{half}\n{certificate}\n"), &[]);
    assert_eq!(left, format!("{mask}\n{certificate}\n"));
    let whole = framed("PRIVATE KEY");
    let left = masked(&format!("`{begin}` is one, as in\n{whole}."), &key);
    assert_eq!(left, format!("`{begin}` is one, as in\n{mask}."));
}
