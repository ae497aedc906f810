//! Who gets what, and when a conversation is over.

use super::*;

#[test]
fn two_agents_have_one_conversation_whoever_begins_and_however_addressed() {
    let mut room = Room::new();
    let (ann, cid) = (room.ann.clone(), room.cid.clone());
    let sent = room.desk.send(&ann, "cid", "one").unwrap();
    let id = sent.conversation.unwrap();
    let back = room.desk.send(&cid, "ANN", "two").unwrap();
    let by_id = room.desk.send(&cid, &id.to_string(), "three").unwrap();
    let answer = room.desk.reply(&ann, by_id.message_id, false).unwrap();
    for sent in [back, by_id, answer] {
        assert_eq!(sent.conversation, Some(id));
    }
    let own = room.desk.send(&ann, "ann", "a note").unwrap();
    let all = room.desk.send(&ann, "all", "to all").unwrap();
    assert_eq!((own.conversation, all.conversation), (None, None));
    let within = room.desk.fetch(&cid).remove(0).conversation.unwrap();
    assert_eq!((within.id, within.title), (id, None));
}

#[test]
fn mail_that_waited_for_a_name_has_its_place_once_the_name_is_claimed() {
    let mut room = Room::new();
    let ann = room.ann.clone();
    let sent = room.desk.send(&ann, "dan", "early").unwrap();
    assert_eq!(sent.conversation, None);
    let dan = room.desk.register("dan", false).unwrap();
    let early = room.desk.fetch(&dan).remove(0).conversation.unwrap();
    let late = room.desk.send(&dan, "ann", "late").unwrap();
    assert_eq!(late.conversation, Some(early.id));
}

#[test]
fn what_is_said_in_a_group_reaches_everybody_else_in_it_once() {
    let mut room = Room::new();
    let (ann, bob, cid) = (room.ann.clone(), room.bob.clone(), room.cid.clone());
    let id = room.id;
    let added = room.desk.converse(&bob, &add(id, &["cid", "bob"])).unwrap();
    assert_eq!(added.added, names(&["cid"]));
    let told = format!("bob brought cid into the group {id}");
    for who in [&ann, &cid] {
        assert_eq!(room.texts(who).join("\n"), told);
    }
    assert!(room.texts(&bob).is_empty(), "it did so itself");
    let again = room.desk.converse(&ann, &add(id, &["cid"])).unwrap();
    assert!(again.added.is_empty() && room.texts(&cid).is_empty());
    let said = room.say(&ann, "hello").unwrap();
    assert_eq!(room.row(&cid).unread, 1);
    assert_eq!(room.row(&ann).unread, 0);
    let mail = room.desk.fetch(&bob).remove(0);
    let within = mail.conversation.unwrap();
    assert_eq!((mail.id, within.id), (said, id));
    assert_eq!(within.title.unwrap().as_str(), "release 1.0");
    assert_eq!(room.texts(&cid), ["hello"]);
    assert!(room.texts(&ann).is_empty());
    assert_eq!(
        room.desk
            .number("SELECT count(*) FROM bodies WHERE text = 'hello'"),
        1
    );
}

#[test]
fn a_newcomer_does_not_see_what_was_said_before_and_a_leaver_keeps_it() {
    let mut room = Room::new();
    let (ann, bob, cid) = (room.ann.clone(), room.bob.clone(), room.cid.clone());
    let id = room.id;
    let before = room.say(&ann, "before").unwrap();
    room.desk.converse(&ann, &add(id, &["cid"])).unwrap();
    assert_eq!(room.row(&cid).last_ms, None, "nor when it was said");
    let leave = Conversation::Leave {
        conversation_id: id,
    };
    room.desk.converse(&bob, &leave).unwrap();
    let after = room.say(&ann, "after").unwrap();
    assert!(!room.reads(&cid, before) && room.reads(&cid, after));
    assert!(room.reads(&bob, before) && !room.reads(&bob, after));
    let texts = room.texts(&bob);
    assert!(
        texts.iter().any(|text| text == "before"),
        "it waited: {texts:?}"
    );
    assert!(!texts.iter().any(|text| text == "after"));
    assert_eq!(room.say(&bob, "me too"), Err(ErrorCode::NotFound));
    let texts = room.texts(&cid);
    assert!(texts.contains(&format!("bob is no longer in the group {id}")));
}

#[test]
fn an_answer_goes_to_the_group_and_in_private_to_its_sender() {
    let mut room = Room::new();
    let (ann, bob, cid) = (room.ann.clone(), room.bob.clone(), room.cid.clone());
    let id = room.id;
    room.desk.converse(&ann, &add(id, &["cid"])).unwrap();
    let asked = room.say(&ann, "which port?").unwrap();
    let answer = room.desk.reply(&bob, asked, false).unwrap();
    assert_eq!(answer.conversation, Some(id));
    let to: Vec<_> = answer.recipients.into_iter().map(|to| to.name).collect();
    assert_eq!(to, names(&["ann", "cid"]));
    let private = room.desk.reply(&cid, asked, true).unwrap();
    assert_ne!(private.conversation, Some(id));
    assert_eq!(private.recipients.len(), 1);
    room.desk
        .converse(
            &bob,
            &Conversation::Leave {
                conversation_id: id,
            },
        )
        .unwrap();
    let refused = room.desk.reply(&bob, asked, false);
    assert_eq!(refused.err(), Some(ErrorCode::NotFound));
    assert!(room.desk.reply(&bob, asked, true).is_ok());
}

#[test]
fn a_member_without_room_is_left_out_and_named_and_silences_nobody() {
    let mut room = Room::new();
    let (ann, bob, cid) = (room.ann.clone(), room.bob.clone(), room.cid.clone());
    let id = room.id;
    room.desk.converse(&ann, &add(id, &["cid"])).unwrap();
    room.texts(&bob);
    room.desk.limits.mailbox_unread_per_sender = 2;
    for text in ["one", "two"] {
        room.say(&ann, text).unwrap();
        room.texts(&cid);
    }
    let sent = room.desk.send(&ann, &id.to_string(), "three").unwrap();
    let reason = EndReason::MailboxFull;
    assert_eq!(
        sent.recipients[0].outcome,
        RecipientOutcome::LeftOut { reason }
    );
    assert_eq!(sent.recipients[1].outcome, RecipientOutcome::Stored);
    assert_eq!(room.texts(&cid), ["three"]);
    assert_eq!(room.texts(&bob), ["one", "two"]);
    assert!(room.reads(&bob, sent.message_id), "it may still look it up");
    let state = "SELECT count(*) FROM deliveries WHERE state = 'refused'
                 AND reason = 'mailbox_full' AND name = 'bob'";
    assert_eq!(room.desk.number(state), 1);
    // When nobody has room there is nobody to say it to.
    room.desk.limits.mailbox_unread = 0;
    assert_eq!(room.say(&ann, "four"), Err(ErrorCode::MailboxFull));
}

#[test]
fn who_is_alone_in_a_group_is_told_so() {
    let mut room = Room::new();
    let ann = room.ann.clone();
    let made = room.desk.converse(&ann, &create(&[])).unwrap();
    room.id = made.conversations[0].id;
    assert_eq!(room.say(&ann, "hello?"), Err(ErrorCode::UnknownRecipient));
}

#[test]
fn a_talk_of_hundreds_of_turns_goes_on_and_a_storm_of_answers_ends() {
    let mut room = Room::new();
    let (ann, bob, cid) = (room.ann.clone(), room.bob.clone(), room.cid.clone());
    room.desk.converse(&ann, &add(room.id, &["cid"])).unwrap();
    let everybody = [ann, bob, cid];
    let mut last = room.say(&everybody[0], "begin").unwrap();
    let mut turns = 0;
    let refused = loop {
        let who = everybody[(turns + 1) % 3].clone();
        for other in &everybody {
            room.texts(other);
        }
        match room.desk.reply(&who, last, false) {
            Ok(sent) => last = sent.message_id,
            Err(code) => break code,
        }
        turns += 1;
    };
    assert_eq!((refused, turns), (ErrorCode::LoopDetected, 300));
    assert_eq!(room.desk.number("SELECT max(hops) FROM messages"), 0);
    room.desk.pass(601);
    let who = everybody[(turns + 1) % 3].clone();
    assert!(room.desk.reply(&who, last, false).is_ok(), "ten minutes on");
}

#[test]
fn what_leaves_its_group_is_passed_on() {
    let mut room = Room::new();
    let (ann, bob) = (room.ann.clone(), room.bob.clone());
    let said = room.say(&ann, "hello").unwrap();
    let other = room.desk.converse(&bob, &create(&["cid"])).unwrap();
    room.id = other.conversations[0].id;
    let request = ipc_protocol::request::Send {
        to: room.id.to_string().parse().unwrap(),
        text: "they say hello".to_owned(),
        kind: ipc_protocol::message::Kind::Message,
        data: None,
        reply_to: Some(said),
        idempotency_key: None,
        known_only: false,
    };
    let sent = room
        .desk
        .act_as(&bob, |c| crate::actions::send::send(&request, &bob, c));
    sent.unwrap();
    assert_eq!(room.desk.number("SELECT max(hops) FROM messages"), 1);
}

#[test]
fn a_rename_changes_nothing_and_an_end_is_a_leave() {
    let mut room = Room::new();
    let (ann, bob) = (room.ann.clone(), room.bob.clone());
    let request = Rename {
        new_name: "robert".parse().unwrap(),
    };
    let renamed = room
        .desk
        .act_as(&bob, |c| rename::rename(&request, &bob, c));
    renamed.unwrap();
    assert_eq!(room.row(&ann).members, names(&["ann", "robert"]));
    room.say(&ann, "hello").unwrap();
    room.texts(&ann);
    let ended = room
        .desk
        .act_as(&bob, |c| leave::unregister(&Unregister {}, &bob, c));
    ended.unwrap();
    assert_eq!(room.row(&ann).members, names(&["ann"]));
    let told = format!("robert is no longer in the group {}", room.id);
    assert!(room.texts(&ann).contains(&told));
}

#[test]
fn a_group_that_all_have_left_is_forgotten_with_its_last_message() {
    let mut room = Room::new();
    let (ann, bob) = (room.ann.clone(), room.bob.clone());
    room.say(&ann, "hello").unwrap();
    room.texts(&bob);
    let groups = "SELECT count(*) FROM conversations WHERE title IS NOT NULL";
    for who in [&ann, &bob] {
        let leave = Conversation::Leave {
            conversation_id: room.id,
        };
        room.desk.converse(who, &leave).unwrap();
    }
    assert_eq!(room.desk.number(groups), 1, "a message is left");
    for _ in 0..7 {
        room.desk.pass(5 * 86_400);
        for who in [&ann, &bob] {
            room.texts(who);
        }
        room.desk.sweep();
    }
    assert_eq!(room.desk.number(groups), 0);
    let made = room.desk.converse(&ann, &create(&[])).unwrap();
    let leave = Conversation::Leave {
        conversation_id: made.conversations[0].id,
    };
    room.desk.converse(&ann, &leave).unwrap();
    assert_eq!(room.desk.number(groups), 0, "nothing was ever said in it");
}

#[test]
fn a_list_has_the_latest_first_and_says_how_many_there_are() {
    let mut room = Room::new();
    let (ann, cid) = (room.ann.clone(), room.cid.clone());
    room.desk.send(&cid, "ann", "hello").unwrap();
    let listed = |room: &mut Room, limit| -> ConversationReport {
        let request = Conversation::List { limit };
        room.desk.converse(&ann, &request).unwrap()
    };
    let all = listed(&mut room, None);
    let titles: Vec<_> = all
        .conversations
        .iter()
        .map(|row| row.title.is_some())
        .collect();
    assert_eq!((titles, all.total), (vec![false, true], 2));
    room.say(&room.bob.clone(), "hello").unwrap();
    let first = listed(&mut room, Some(1));
    assert_eq!((first.conversations.len(), first.total), (1, 2));
    assert_eq!(first.conversations[0].id, room.id);
    assert_eq!(first.conversations[0].unread, 1);
    let peek = Fetch {
        peek: true,
        ..Fetch::default()
    };
    let waiting = room.desk.act_as(&ann, |c| fetch::peek(&peek, &ann, c));
    assert_eq!(waiting.unwrap().messages.len(), 2);
    room.desk.fetch(&ann);
    assert_eq!(listed(&mut room, None).conversations[0].unread, 0, "leased");
}

#[test]
fn a_group_that_is_made_again_under_its_key_is_the_same_group() {
    let mut room = Room::new();
    let (ann, bob) = (room.ann.clone(), room.bob.clone());
    let under_key = |title: &str| Conversation::Create {
        title: Title::parse(title).unwrap(),
        members: names(&["bob"]),
        idempotency_key: Some("once".parse().unwrap()),
    };
    let made = room.desk.converse(&ann, &under_key("x")).unwrap();
    assert_eq!(room.texts(&bob).len(), 1, "told of it");
    let again = room.desk.converse(&ann, &under_key("x")).unwrap();
    assert_eq!(again.conversations, made.conversations);
    assert!(room.texts(&bob).is_empty(), "and not twice");
    let other = room.desk.converse(&ann, &under_key("y"));
    assert_eq!(other.err(), Some(ErrorCode::Conflict));
    let his = room.desk.converse(&bob, &under_key("x")).unwrap();
    assert_ne!(his.conversations[0].id, made.conversations[0].id);
}
