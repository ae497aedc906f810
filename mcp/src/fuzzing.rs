//! What the fuzz targets of this crate call: one function for each parser of foreign bytes, which says
//! what must hold whatever the bytes are.
//!
//! Compiled for fuzzing and for tests alone. The tests replay the seeds of `fuzz/seeds`, so that an
//! entry point cannot rot and what was once found stays found.

pub use crate::lines::fuzzing::lines;
pub use crate::render::fuzzing::fence;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Gives `target` what is kept for it in `fuzz/seeds`, and every beginning of it.
    fn replay(name: &str, target: fn(&[u8])) {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
        let seeds: Vec<_> = fs::read_dir(seeds.join(name)).unwrap().collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for entry in seeds {
            let seed = fs::read(entry.unwrap().path()).unwrap();
            (0..=seed.len()).for_each(|end| target(&seed[..end]));
        }
    }

    #[test]
    fn fences_hold_for_their_seeds() {
        replay("fence", fence);
    }

    #[test]
    fn lines_hold_for_their_seeds() {
        replay("lines", lines);
    }
}
