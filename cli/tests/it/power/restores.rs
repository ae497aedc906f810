//! A restore killed at its own calls: whatever is the store then, the audit log says how it came about.

use super::library::{Library, was_killed};
use crate::harness::{Home, Said, report, scale};

/// What a restore does in the data directory, and how many of these calls apart it is killed. A flush comes
/// between taking the place of the store and the record.
fn points() -> [(&'static str, usize); 4] {
    [
        ("flush:any", 1),
        ("rename:any", 1),
        ("flushed:any", scale(4, 1)),
        ("unlink:any", scale(7, 1)),
    ]
}

/// How many restores the log knows of.
fn recorded(home: &Home) -> usize {
    let page = home.json(&["admin", "audit", "show", "--limit", "1000"]);
    let records = page["records"].as_array().unwrap();
    let is_restore = |record: &&serde_json::Value| record["event"] == "restored";
    records.iter().filter(is_restore).count()
}

#[test]
fn killed_at_any_call_of_a_restore_the_log_says_that_it_took_place_if_it_did() {
    let home = Home::new();
    home.register("alice").send("alice", "kept");
    home.ok(&["admin", "backup"]);
    let (mut number, mut kills, mut expected, mut cut_off) = (0, 0, 0, 0);
    for (point, step) in points() {
        for time in (1..).step_by(step) {
            number += 1;
            let later = format!("later-{number}");
            home.register(&later).send(&later, "not in the backup");
            home.ok(&["daemon", "stop"]);
            let mut command = home.command(&["admin", "restore"]);
            Library::with_fault(&home, &format!("{point}:{time}:{time}:kill"))
                .load_into(&mut command, home.data_dir().root());
            let said = Said::of(&command.output().unwrap());
            let is_killed = was_killed(&said);
            assert!(is_killed || said.status == 0, "{said:?}");
            if home.run(&["daemon", "start"]).status != 0 {
                // Between the two stores.
                home.ok(&["admin", "restore"]);
                home.ok(&["daemon", "start"]);
            }
            let has_taken_place = home.json(&["status"])["messages"] == 1;
            expected += usize::from(has_taken_place);
            assert_eq!(recorded(&home), expected, "{point}, {time}");
            kills += usize::from(is_killed);
            cut_off += usize::from(is_killed && has_taken_place);
            if !is_killed {
                break;
            }
        }
    }
    home.ok(&["admin", "audit", "verify"]);
    assert!(cut_off > 0 && cut_off < kills, "{cut_off} of {kills}");
    report(&format!(
        "{kills} kills at calls of a restore, {cut_off} of them after it had taken place"
    ));
}
