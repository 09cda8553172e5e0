//! Signing in, staying in and signing out, through the commands.

use contract::connections::Connection;
use contract::refusal::{Fault, Field, Refusal};
use contract::session::{Keeping, Session, SessionStatus, SignInStep};
use promises::ipc::{App, Ground};
use serde_json::{Value, json};

fn send(app: &App, connection: &Connection, email: &str) -> SignInStep {
    app.get("sign_in_send_code", json!({"connection_id": connection.id, "email": email}))
}

#[test]
fn an_address_in_two_organizations_chooses_one_of_them_and_no_other() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let admin = ground.person("admin");
    let SignInStep::CodeSent { email, valid_until } = send(&app, &connection, &admin.email) else { panic!("no code") };
    assert_eq!(email, admin.email);
    assert!(valid_until.ends_with('Z'), "{valid_until}");

    let code = ground.newest_code(&admin.email);
    let SignInStep::ChooseOrganization { organizations } = app.get("sign_in_check_code", json!({ "code": code }))
    else {
        panic!("two organizations were expected")
    };
    let names: Vec<&str> = organizations.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["Acme Robotics", "Acme Field Trials"]);

    let calls = ground.calls();
    let stranger = app.refusal("sign_in_choose_organization", json!({"organization_id": "organization-test-other"}));
    assert!(
        matches!(stranger, Refusal::BadInput { field: Field::OrganizationId, fault: Fault::Unknown }),
        "{stranger:?}"
    );
    assert_eq!(ground.calls(), calls, "one that was not offered is not asked for");

    let chosen = json!({"organization_id": organizations[1].organization_id});
    let SignInStep::SignedIn(session) = app.get("sign_in_choose_organization", chosen) else { panic!("not signed in") };
    assert_eq!(
        (session.organization_name.as_str(), session.member_email.as_str()),
        ("Acme Field Trials", admin.email.as_str())
    );
    assert_eq!(session.keeping, Keeping::MemoryNoKeyring);
    assert!(matches!(app.get("session_status", json!({})), SessionStatus::SignedIn(_)));
}

#[test]
fn an_address_in_one_organization_is_signed_in_with_the_code_alone() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let reader = ground.person("reader");
    send(&app, &connection, &reader.email);
    let code = ground.newest_code(&reader.email);
    // As people type it.
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let SignInStep::SignedIn(session) = app.get("sign_in_check_code", json!({ "code": spaced })) else {
        panic!("not in")
    };
    assert_eq!(session.member_id, reader.member_id);
    assert_eq!(session.roles, ["stytch_member", "app_reader"]);
    assert_eq!(
        (session.may.read_member_apps.allowed, session.may.revoke_member_app.allowed),
        (Some(true), Some(false))
    );
    assert_eq!(session.may.revoke_member_app.roles_that_hold_it, ["stytch_admin", "security_responder"]);
}

#[test]
fn a_connection_with_a_slug_goes_to_its_organization_straight_away() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect_at(&ground, &ground.card().url, Some("acme-field-trials"));
    let admin = ground.person("admin");
    send(&app, &connection, &admin.email);
    let code = ground.newest_code(&admin.email);
    let SignInStep::SignedIn(session) = app.get("sign_in_check_code", json!({ "code": code })) else {
        panic!("not in")
    };
    assert_eq!(session.organization_name, "Acme Field Trials");

    let paths: Vec<String> = ground.ledger().calls.into_iter().map(|call| call.path).collect();
    assert!(paths.iter().any(|path| path.ends_with("/otps/email/login_or_signup")), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains("discovery")), "discovery is not needed: {paths:?}");
}

#[test]
fn a_slug_that_names_no_organization_and_an_address_in_none_are_told_as_such() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect_at(&ground, &ground.card().url, Some("no-such-place"));
    let args = json!({"connection_id": connection.id, "email": ground.person("admin").email});
    assert_eq!(app.refusal_kind("sign_in_send_code", args), "no_organization");
    let paths: Vec<String> = ground.ledger().calls.into_iter().map(|call| call.path).collect();
    assert!(!paths.iter().any(|path| path.contains("otps")), "no code is sent to nowhere: {paths:?}");

    // By discovery: a code goes out, since whether an address is known is not to be learnt; then there is nothing to choose.
    let connection = app.connect(&ground);
    send(&app, &connection, "nobody@elsewhere.test");
    let code = ground.newest_code("nobody@elsewhere.test");
    assert_eq!(app.refusal_kind("sign_in_check_code", json!({ "code": code })), "no_organization");

    // Straight to an organization that does not know the address: the server says so, and nobody is signed in.
    let connection = app.connect_at(&ground, &ground.card().url, Some("acme-robotics"));
    let args = json!({"connection_id": connection.id, "email": "nobody@elsewhere.test"});
    let refusal = app.refusal("sign_in_send_code", args);
    let Refusal::Refused(problem) = &refusal else { panic!("{refusal:?}") };
    assert_eq!((problem.status, problem.error_type.as_deref()), (Some(404), Some("email_not_found")));
    assert!(matches!(app.get("session_status", json!({})), SessionStatus::SignedOut { .. }));
}

#[test]
fn a_wrong_code_is_refused_and_the_right_one_still_works() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let member = ground.person("member");
    send(&app, &connection, &member.email);
    let right = ground.newest_code(&member.email);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let Refusal::CodeRejected(problem) = app.refusal("sign_in_check_code", json!({ "code": wrong })) else {
        panic!("not told as a wrong code")
    };
    assert!(problem.request_id.is_some(), "Stytch's request id is at hand: {problem:?}");
    let step: SignInStep = app.get("sign_in_check_code", json!({ "code": right }));
    assert!(matches!(step, SignInStep::SignedIn(_)), "{step:?}");
}

#[test]
fn an_old_code_is_refused_once_a_newer_one_was_sent() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let member = ground.person("member");
    send(&app, &connection, &member.email);
    let old = ground.newest_code(&member.email);
    let mut newer = old.clone();
    // One code in a million is the same again.
    while newer == old {
        send(&app, &connection, &member.email);
        newer = ground.newest_code(&member.email);
    }
    assert_eq!(app.refusal_kind("sign_in_check_code", json!({ "code": old })), "code_rejected");
    let step: SignInStep = app.get("sign_in_check_code", json!({ "code": newer }));
    assert!(matches!(step, SignInStep::SignedIn(_)), "{step:?}");
}

#[test]
fn a_code_that_was_used_elsewhere_is_refused() {
    let (ground, app, rival) = (Ground::default(), App::open(), App::open());
    let connection = app.connect(&ground);
    let member = ground.person("member");
    send(&app, &connection, &member.email);
    let code = ground.newest_code(&member.email);
    let its_connection = rival.connect(&ground);
    send(&rival, &its_connection, &member.email);
    let newer = ground.newest_code(&member.email);
    rival.get::<SignInStep>("sign_in_check_code", json!({ "code": newer }));
    assert_eq!(app.refusal_kind("sign_in_check_code", json!({ "code": code })), "code_rejected");
    assert!(matches!(app.get("session_status", json!({})), SessionStatus::SignedOut { .. }));
}

#[test]
fn what_the_project_s_owner_must_change_is_told_at_the_first_call() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let args = json!({"connection_id": connection.id, "email": ground.person("admin").email});
    ground.fault(json!({"bundle_id_refused": true}));
    let refusal = app.refusal("sign_in_send_code", args.clone());
    let Refusal::BundleIdNotRegistered { identifier, problem } = &refusal else { panic!("{refusal:?}") };
    assert_eq!(identifier, "dev.cutoff.desktop", "exactly what is to be added");
    assert_eq!(problem.error_type.as_deref(), Some("bad_app_bundle_for_stytch_sdk"));

    ground.fault(json!({"bundle_id_refused": false, "sdk_endpoint_off": true, "on": "/otps/"}));
    assert_eq!(app.refusal_kind("sign_in_send_code", args.clone()), "sdk_endpoint_off");
    ground.fault(json!({"sdk_endpoint_off": null, "rate_limit_after": 0, "retry_after_s": 30, "on": "/otps/"}));
    assert_eq!(app.refusal_kind("sign_in_send_code", args.clone()), "rate_limited");
    ground.fault(json!({"rate_limit_after": null, "retry_after_s": null, "body": "html"}));
    assert_eq!(app.refusal_kind("sign_in_send_code", args.clone()), "garbled");
    ground.fault(json!({"body": null, "redirect_to": "https://elsewhere.example/login"}));
    let refusal = app.refusal("sign_in_send_code", args.clone());
    assert!(
        matches!(&refusal, Refusal::Redirected { to_host: Some(host), .. } if host == "elsewhere.example"),
        "{refusal:?}"
    );
    ground.fault(json!({"redirect_to": null, "server_error_share": 1.0}));
    assert_eq!(app.refusal_kind("sign_in_send_code", args.clone()), "server_error");
    ground.stop();
    let refusal = app.refusal("sign_in_send_code", args);
    assert!(
        matches!(&refusal, Refusal::Offline(problem) if problem.cause.as_deref() == Some("refused")),
        "{refusal:?}"
    );
}

#[test]
fn a_kept_session_is_taken_up_at_the_next_start_without_asking() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let before = app.sign_in(&ground, &connection, "admin");
    for first_look in ["session_status", "session_restore"] {
        let reopened = app.again();
        let calls = ground.calls();
        let SessionStatus::SignedIn(after) = reopened.get(first_look, json!({})) else { panic!("not taken up") };
        assert_eq!((&after.member_id, &after.organization_id), (&before.member_id, &before.organization_id));
        let asked = ground.calls();
        assert!(asked > calls, "{first_look} asks whether the session still lives");
        for later_look in ["session_status", "session_restore"] {
            let status: SessionStatus = reopened.get(later_look, json!({}));
            assert!(matches!(status, SessionStatus::SignedIn(_)));
        }
        assert_eq!(ground.calls(), asked, "and later looks ask nobody");
    }
}

#[test]
fn a_kept_session_that_has_died_is_told_as_ended_and_not_tried_again() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    ground.fault(json!({"session_dies_after": 0}));
    let app = app.reopen();
    let SessionStatus::SignedOut { ended: Some(ended), kept: None, .. } = app.get("session_restore", json!({})) else {
        panic!("the end was not told")
    };
    assert_eq!(ended.organization_name, "Acme Robotics");
    assert!(ended.request_id.is_some());
    let calls = ground.calls();
    let app = app.reopen();
    app.get::<SessionStatus>("session_restore", json!({}));
    assert_eq!(ground.calls(), calls, "a dead session was forgotten, so there is nothing to ask with");
}

#[test]
fn a_kept_session_that_cannot_be_checked_is_kept_for_the_next_try() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    ground.fault(json!({"server_error_share": 1.0}));
    let app = app.reopen();
    let SessionStatus::SignedOut { kept: Some(problem), ended: None, .. } = app.get("session_restore", json!({}))
    else {
        panic!("a server that fails says nothing about the session")
    };
    assert_eq!(problem.status, Some(500));
    ground.fault(json!({"server_error_share": null}));
    assert!(matches!(app.get("session_restore", json!({})), SessionStatus::SignedIn(_)));
}

#[test]
fn signing_out_ends_the_session_at_the_server_too() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
    let last = ground.ledger().calls.pop().expect("a call");
    assert_eq!((last.path.as_str(), last.status), ("/sdk/v1/b2b/sessions/revoke", Some(200)));
    let calls = ground.calls();
    let app = app.reopen();
    assert!(matches!(app.get("session_restore", json!({})), SessionStatus::SignedOut { .. }));
    assert_eq!(ground.calls(), calls, "nothing was kept to ask with");
}

#[test]
fn a_sign_out_that_the_server_did_not_hear_of_is_not_told_as_done() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    ground.fault(json!({"server_error_share": 1.0, "on": "/sessions/revoke"}));
    assert_eq!(app.refusal_kind("sign_out", json!({"even_if_unreachable": false})), "not_signed_out_at_server");
    assert!(
        matches!(app.get("session_status", json!({})), SessionStatus::SignedIn(_)),
        "so that it can be tried again"
    );
    app.get::<Value>("sign_out", json!({"even_if_unreachable": true}));
    assert!(matches!(app.get("session_status", json!({})), SessionStatus::SignedOut { .. }));
}

#[test]
fn a_session_in_use_ends_once_and_says_whose_it_was() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "reader");
    ground.fault(json!({"session_dies_after": 0}));
    let refusal = app.refusal("inventory_read", json!({}));
    let Refusal::SignedOut { request_id: Some(_), resume_as: Some(email) } = &refusal else { panic!("{refusal:?}") };
    assert_eq!(*email, ground.person("reader").email);
    let status: SessionStatus = app.get("session_status", json!({}));
    assert!(matches!(status, SessionStatus::SignedOut { ended: Some(_), .. }), "{status:?}");
}

#[test]
fn an_extension_beyond_what_the_project_allows_is_refused_and_changes_nothing() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let before = app.sign_in(&ground, &connection, "admin");
    for minutes in [0, 4, 43_201, u32::MAX] {
        let refusal = app.refusal("session_extend", json!({ "minutes": minutes }));
        assert!(matches!(&refusal, Refusal::Refused(problem) if problem.status == Some(400)), "{minutes}: {refusal:?}");
    }
    let SessionStatus::SignedIn(after) = app.get("session_status", json!({})) else { panic!("signed out") };
    assert_eq!(after.expires_at, before.expires_at);
    let longer: Session = app.get("session_extend", json!({"minutes": 43_200}));
    assert!(longer.expires_at > before.expires_at);
}
