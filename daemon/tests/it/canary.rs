//! The shared secret in memory: once it has been compared and its agents have enrolled, it is
//! nowhere in the process, and so in no core file of it and on no page of the swap.

use std::fs::File;
use std::os::unix::fs::FileExt;

use ipc_protocol::auth::Credential;
use ipc_protocol::secret::SharedSecret;
use rand::rngs::SysRng;
use rand::{Rng, SeedableRng};

use crate::harness::House;

/// A secret that this test keeps in another form, so as not to find its own copy.
struct Canary([u8; 32]);

/// What each byte is masked with: no byte of the secret has its highest bit.
const MASK: u8 = 0x80;

impl Canary {
    fn new() -> Self {
        let mut rng = rand::rngs::StdRng::try_from_rng(&mut SysRng).unwrap();
        let mut masked = [0; 32];
        rng.fill_bytes(&mut masked);
        for byte in &mut masked {
            *byte = 0x40 | (*byte & 0x1f) | MASK;
        }
        Self(masked)
    }

    fn secret(&self) -> SharedSecret {
        SharedSecret::new(self.0.iter().map(|byte| byte & !MASK).collect()).unwrap()
    }

    /// Whether `memory` holds it. Most memory is empty: what has not its first byte is passed over.
    fn is_in(&self, memory: &[u8]) -> bool {
        const STRIDE: usize = 256;
        let first = self.0[0] & !MASK;
        let is_here = |window: &[u8]| {
            let mut pairs = window.iter().zip(self.0);
            pairs.all(|(byte, masked)| byte ^ MASK == masked)
        };
        let starts = (0..memory.len()).step_by(STRIDE);
        let mut strides = starts.filter(|start| {
            let end = memory.len().min(start.saturating_add(STRIDE));
            memory[*start..end].contains(&first)
        });
        strides.any(|start| {
            let end = start.saturating_add(STRIDE).saturating_add(self.0.len());
            let end = memory.len().min(end);
            memory[start..end].windows(self.0.len()).any(is_here)
        })
    }

    /// Where in this process it is: the mappings that can be written to.
    fn places(&self) -> Vec<String> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut places = Vec::new();
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let of = |text| u64::from_str_radix(text, 16).unwrap();
            let length = usize::try_from(of(to).saturating_sub(of(from))).unwrap();
            let mut bytes = vec![0; length];
            // One that is gone by now holds nothing.
            if memory.read_exact_at(&mut bytes, of(from)).is_ok() && self.is_in(&bytes) {
                places.push(line.to_owned());
            }
            bytes.fill(0);
        }
        places
    }
}

#[test]
fn the_secret_is_nowhere_in_the_memory_once_it_has_been_used() {
    let canary = Canary::new();
    let held = canary.secret();
    assert!(
        !canary.places().is_empty(),
        "the search finds what is there"
    );
    drop(held);
    let mut house = House::empty();
    let path = house.data_dir().secret();
    ipc_protocol::private::write_file(&path, canary.secret().expose()).unwrap();
    house.start_with(None).unwrap();
    let credential = Credential::Secret(canary.secret());
    let client = house.prove(&credential).unwrap();
    drop((client, credential));
    house.stop().unwrap();
    assert_eq!(canary.places(), Vec::<String>::new());
}
