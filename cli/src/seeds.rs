//! What `fuzz/seeds` keeps for a parser of this program, replayed by the tests beside it.

use std::fs;
use std::path::Path;

/// Gives `target` every seed called for it, and every beginning of each.
pub(crate) fn replay(name: &str, target: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let seeds: Vec<_> = fs::read_dir(seeds.join(name)).unwrap().collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    for entry in seeds {
        let seed = fs::read(entry.unwrap().path()).unwrap();
        (0..=seed.len()).for_each(|end| target(&seed[..end]));
    }
}
