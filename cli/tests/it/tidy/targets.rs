//! Fuzz targets: building them takes another tool, so that what they name is looked at here.

use super::texts::{files, quoted, read, sources};

#[test]
fn every_fuzz_target_has_an_entry_point_seeds_and_a_row() {
    let (manifest, page) = (read("fuzz/Cargo.toml"), quoted(&read("fuzz/README.md")));
    let code: String = sources().iter().map(read).collect();
    let targets = files("fuzz/targets", ".rs");
    assert!(targets.len() >= 21, "{targets:?}");
    for path in targets {
        let target = path.file_stem().unwrap().to_str().unwrap();
        let entry = format!("fn {target}(bytes: &[u8])");
        assert!(code.contains(&entry), "no `{entry}`");
        assert!(read(&path).contains(&format!("fuzzing::{target}(bytes)")));
        assert!(code.contains(&format!("replay(\"{target}\", ")), "{target}");
        assert!(
            manifest.contains(&format!("name = \"{target}\"")),
            "{target}"
        );
        assert!(page.contains(target), "fuzz/README.md: no row for {target}");
        assert!(!files(&format!("fuzz/seeds/{target}"), "").is_empty());
    }
}
