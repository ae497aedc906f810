//! Messages whose text the Python server put into files.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use ipc_protocol::request::Read;

use crate::harness::House;
use crate::harness::predecessor::{Old, Predecessor};

const SUMMARY: &str = "The first sentence is long enough. The second one as well.";

fn text() -> String {
    format!("{SUMMARY} {}", "And so on. ".repeat(2_000))
}

/// Stores a message with a file, lets `spoil` at it, and says what bob gets of it.
fn after(spoil: impl FnOnce(&Path)) -> String {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    let path = old.large_file(&Old::default(), &text());
    let content = format!("{SUMMARY} Full content saved to: {}", path.display());
    old.store(&Old {
        content: &content,
        file: Some(&path),
        data: Some(r#"{"large_message_file": "/x", "original_size_kb": 22.0, "kept": 1}"#),
        ..Old::default()
    });
    spoil(&path);
    old.close();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.unread, 1);
    assert_eq!(report.left_out.is_empty(), report.from_files == 1);
    house.start().unwrap();
    let mut bob = house.register("bob");
    let mail = bob.fetch().remove(0);
    let data = mail.data.unwrap();
    assert_eq!(data["kept"], 1);
    assert_eq!(
        data.contains_key("large_message_file"),
        report.from_files == 0
    );
    let mut whole = String::new();
    let mut next = Some(0);
    while let Some(offset) = next {
        let message_id = mail.id;
        let page = bob.call(&Read { message_id, offset }).unwrap();
        whole.push_str(&page.message.text);
        next = page.next_offset;
    }
    whole
}

#[test]
fn the_whole_text_comes_from_its_file() {
    assert_eq!(after(|_| {}), text());
}

#[test]
fn a_file_that_another_message_overwrote_is_not_taken_for_this_one() {
    let got = after(|path| {
        let header = "# IPC Message\nFrom: alice\nTo: bob\nTime: x\nSize: 1.0KB\n\n## Content\n";
        std::fs::write(path, format!("{header}Quite another text.\n")).unwrap();
    });
    assert!(
        got.starts_with(SUMMARY) && got.contains("saved to"),
        "{got}"
    );
}

#[test]
fn a_file_that_is_gone_a_link_or_open_to_others_leaves_the_summary() {
    let gone = |path: &Path| std::fs::remove_file(path).unwrap();
    let link = |path: &Path| {
        let elsewhere = path.with_extension("elsewhere");
        std::fs::rename(path, &elsewhere).unwrap();
        symlink(elsewhere, path).unwrap();
    };
    let open = |path: &Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
    };
    let spoils: [&dyn Fn(&Path); 3] = [&gone, &link, &open];
    for spoil in spoils {
        assert!(after(spoil).contains("Full content saved to"));
    }
}

#[test]
fn a_path_out_of_the_directory_leads_nowhere() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    let outside = house.path().join("outside.md");
    let header = "# IPC Message\nFrom: alice\nTo: bob\nTime: x\nSize: 1.0KB\n\n## Content\n";
    std::fs::write(&outside, format!("{header}secret")).unwrap();
    old.large_file(&Old::default(), "something");
    old.store(&Old {
        content: &format!(" Full content saved to: {}", outside.display()),
        ..Old::default()
    });
    old.close();
    house.take_over().unwrap().unwrap();
    house.start().unwrap();
    assert!(house.register("bob").check()[0].contains("saved to"));
}

#[test]
fn the_directory_is_closed_to_others_so_that_it_can_be_used() {
    let house = House::empty();
    let old = Predecessor::new(house.path());
    old.large_file(&Old::default(), "something");
    old.close();
    let report = house.take_over().unwrap().unwrap();
    let directory = house.data_dir().large_messages();
    assert_eq!(report.large_directory_closed.as_ref(), Some(&directory));
    let mode = std::fs::metadata(directory).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
