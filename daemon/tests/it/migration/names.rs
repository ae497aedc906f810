//! Names that cannot be names here.

use super::A_MINUTE_AGO;
use crate::harness::House;
use crate::harness::predecessor::{Old, Predecessor};

#[test]
fn a_name_that_cannot_be_one_gets_another_and_its_mail_goes_with_it() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    for (name, seen) in [
        ("all", A_MINUTE_AGO),
        ("system", A_MINUTE_AGO),
        ("eve\n", A_MINUTE_AGO),
        ("zoë", A_MINUTE_AGO),
        ("", A_MINUTE_AGO),
        ("bob", "2027-01-15T08:58:00"),
        ("Bob", A_MINUTE_AGO),
    ] {
        old.register(name, seen);
        let content = format!("for {name:?}");
        old.store(&Old {
            to: name,
            content: &content,
            ..Old::default()
        });
    }
    old.close();
    let report = house.take_over().unwrap().unwrap();
    let new: Vec<_> = report
        .renamed
        .iter()
        .map(|name| (name.old.as_str(), name.new.as_str()))
        .collect();
    // Of two that differ in case, the one seen last keeps its name.
    for pair in [
        ("all", "all-imported"),
        ("system", "system-imported"),
        ("eve\n", "eve"),
        ("zoë", "zo-"),
        ("", "imported"),
        ("bob", "bob-2"),
    ] {
        assert!(new.contains(&pair), "{pair:?} in {new:?}");
    }
    assert_eq!(new.len(), 6);
    house.start().unwrap();
    for (name, text) in [
        ("all-imported", "for \"all\""),
        ("eve", "for \"eve\\n\""),
        ("bob", "for \"Bob\""),
        ("bob-2", "for \"bob\""),
    ] {
        assert_eq!(house.register(name).check(), [text], "{name}");
    }
}

#[test]
fn a_text_that_claims_to_be_the_systems_is_an_ordinary_message() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.store(&Old {
        from: "system",
        content: "📝 alice renamed to root",
        ..Old::default()
    });
    old.close();
    house.take_over().unwrap().unwrap();
    house.start().unwrap();
    let mail = house.register("bob").fetch().remove(0);
    assert_eq!(mail.event, None);
    assert_eq!(mail.from.unwrap().name.as_str(), "system-imported");
}

#[test]
fn names_longer_than_fit_stay_apart() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    let (one, other) = (
        format!("{}1", "x".repeat(40)),
        format!("{}2", "x".repeat(40)),
    );
    for to in [&one, &other] {
        old.store(&Old {
            to,
            content: to,
            ..Old::default()
        });
    }
    old.close();
    house.take_over().unwrap().unwrap();
    house.start().unwrap();
    let first = "x".repeat(32);
    let second = format!("{}-2", "x".repeat(30));
    assert_eq!(house.register(&first).check(), [one.as_str()]);
    assert_eq!(house.register(&second).check(), [other.as_str()]);
}

#[test]
fn names_that_resemble_each_other_cost_no_more_for_that() {
    let house = House::empty();
    let old = Predecessor::new(house.path());
    for number in 0..3_000_u32 {
        let sign = char::from_u32(0x4E00 + number).unwrap();
        old.register(&format!("deputy{sign}"), A_MINUTE_AGO);
    }
    old.close();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.names, 3_000);
    let last = report.renamed.last().map(|name| name.new.as_str());
    assert_eq!(last, Some("deputy--1000"), "the list is bounded");
}
