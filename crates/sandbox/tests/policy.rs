//! Promises around the connected-app policy: who may change it, what a change does under each setting, and which grants come back.

mod ground;

use std::collections::BTreeSet;
use std::time::Duration;

use ground::*;
use sandbox::{Faults, Options};
use serde_json::{Value, json};

const ORGANIZATION: &str = "/sdk/v1/b2b/organizations/me";
const THIRD: &str = "third_party_connected_apps_allowed_type";
const THIRD_LIST: &str = "allowed_third_party_connected_apps";

async fn sleep_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// The policy's four fields out of an organization.
fn policy_of(organization: &Value) -> Value {
    let names = ["first_party_connected_apps_allowed_type", "allowed_first_party_connected_apps", THIRD, THIRD_LIST];
    names.iter().map(|name| ((*name).to_owned(), organization[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

impl Ground {
    async fn put(&self, second: &str, body: Value) -> Answer {
        self.try_call("PUT", ORGANIZATION, second, Some(body)).await.expect("an answer")
    }

    async fn policy(&self) -> Value {
        policy_of(&self.get(ORGANIZATION, &self.token("admin")).await.data()["organization"])
    }

    /// Ids in the organization's list.
    async fn listed(&self) -> BTreeSet<String> {
        ids(&self.get(APPS, &self.token("admin")).await.data()["connected_apps"], "connected_app_id")
    }

    async fn view_status(&self, app: &str) -> u16 {
        self.get(&format!("{APPS}/{app}"), &self.token("admin")).await.status
    }

    /// Lets nobody connect this third-party app any more, and everybody every other one that is listed.
    async fn block(&self, app: &str) -> Answer {
        let mut others = self.listed().await;
        others.remove(app);
        self.put(&self.token("admin"), json!({THIRD: "RESTRICTED", THIRD_LIST: others})).await
    }

    async fn allow_all(&self) {
        self.put(&self.token("admin"), json!({THIRD: "ALL_ALLOWED"})).await.data();
    }

    /// Members with a grant to this app by the ledger.
    async fn holders(&self, app: &str) -> BTreeSet<String> {
        let ledger = self.ledger().await;
        let grants = ledger["grants"].as_array().expect("a list").iter();
        grants
            .filter(|grant| grant["connected_app_id"] == app)
            .map(|grant| grant["member_id"].as_str().expect("an id").to_owned())
            .collect()
    }

    /// The first listed app is DataSync, a third-party one that most members have; with two of them.
    async fn app_and_two(&self) -> (String, String, String) {
        let app = self.app().await;
        let people: BTreeSet<String> = self.sandbox.card().people.iter().map(|p| p.member_id.clone()).collect();
        let members = self.members_of(&app).await;
        let mut others = members.difference(&people).cloned();
        let two = (others.next().expect("a member"), others.next().expect("another"));
        (app, two.0, two.1)
    }
}

#[tokio::test]
async fn an_admin_changes_the_policy_and_the_ledger_knows_who_and_what() {
    let ground = ground().await;
    let before = ground.policy().await;
    assert_eq!(before[THIRD], "ALL_ALLOWED");
    let app = ground.app().await;
    let answer = ground.put(&ground.token("admin"), json!({THIRD: "RESTRICTED", THIRD_LIST: [app]})).await.data();
    assert_eq!(answer["status_code"], 200);
    assert!(answer["request_id"].as_str().unwrap().starts_with("request-id-test-"));
    let after = policy_of(&answer["organization"]);
    assert_eq!((&after[THIRD], &after[THIRD_LIST]), (&json!("RESTRICTED"), &json!([app])));
    assert_eq!(after["first_party_connected_apps_allowed_type"], "ALL_ALLOWED", "what is not sent stays");
    assert_eq!(ground.policy().await, after);
    assert!(ground.listed().await.contains(&app));

    let ledger = ground.ledger().await;
    let rows = ledger["policy_changes"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    let mut row = rows[0].clone();
    let at = row.as_object_mut().unwrap().remove("at").unwrap();
    assert!(at.as_str().unwrap().ends_with('Z'), "{at}");
    let by = &ground.person("admin").member_id;
    assert_eq!(row, json!({"by": by, "before": before, "after": after, "answered": true}));
    assert_eq!(ledger["revocations"], json!([]));
    let calls = ledger["calls"].as_array().unwrap();
    let puts: Vec<&Value> = calls.iter().filter(|call| call["method"] == "PUT").collect();
    assert_eq!(puts.len(), 1);
    assert_eq!((&puts[0]["path"], &puts[0]["status"]), (&json!(ORGANIZATION), &json!(200)));

    ground.put(&ground.token("admin"), json!({THIRD: "ALL_ALLOWED"})).await.data();
    assert_eq!(ground.policy().await[THIRD_LIST], json!([app]), "the list is kept beside another word");
}

#[tokio::test]
async fn a_responder_may_revoke_and_may_not_change_the_policy() {
    let ground = ground().await;
    let reader = ground.person("reader").clone();
    ground.control("roles", json!({"member_id": reader.member_id, "roles": ["security_responder"]})).await;
    let (app, member, _) = ground.app_and_two().await;
    let before = ground.policy().await;
    for token in [&reader.session_token, &ground.token("member")] {
        for body in [json!({THIRD: "NOT_ALLOWED"}), json!({THIRD_LIST: []}), json!({"organization_name": "Mine"})] {
            let denied = ground.put(token, body).await;
            assert_eq!(denied.refused(), (403, "session_authorization_error".into()));
        }
    }
    assert_eq!(ground.put(&ground.public(), json!({THIRD: "NOT_ALLOWED"})).await.status, 401);
    assert_eq!(ground.policy().await, before);
    assert_eq!(ground.ledger().await["policy_changes"], json!([]), "what was refused is no change");
    ground.revoke(&member, &app, &reader.session_token).await.unwrap().data();
    assert!(!ground.granted(&member, &app).await);
}

#[tokio::test]
async fn a_change_with_one_bad_field_is_refused_whole() {
    let ground = ground().await;
    let token = ground.token("admin");
    let before = ground.get(ORGANIZATION, &token).await.data()["organization"].clone();
    for (bad, keyword) in [
        (json!({THIRD: "SOMETIMES"}), "enum"),
        (json!({THIRD: "all_allowed"}), "enum"),
        (json!({THIRD: 1}), "type"),
        (json!({THIRD: null}), "type"),
        (json!({THIRD_LIST: "app"}), "type"),
        (json!({THIRD_LIST: ["app", 5]}), "type"),
        (json!({"organization_name": ""}), "minLength"),
        (json!({"connected_apps_allowed_type": "RESTRICTED"}), "additionalProperties"),
    ] {
        let mut body = json!({"first_party_connected_apps_allowed_type": "NOT_ALLOWED", "organization_slug": "other"});
        body.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        let refused = ground.put(&token, body).await;
        assert_eq!(refused.status, 400, "{bad}");
        assert_eq!(refused.json()["body"][0]["keyword"], keyword, "{bad}");
    }
    let metadata = ground.put(&token, json!({"trusted_metadata": {}})).await;
    assert_eq!(metadata.refused(), (401, "cannot_update_trusted_metadata".into()));
    let taken = ground.put(&token, json!({"organization_slug": "acme-field-trials", THIRD: "NOT_ALLOWED"})).await;
    assert_eq!(taken.refused(), (400, "organization_slug_already_used".into()));
    ground.faults(json!({"sdk_endpoint_off": true})).await;
    let off = ground.put(&token, json!({THIRD: "NOT_ALLOWED"})).await;
    assert_eq!(off.refused(), (401, "endpoint_not_authorized_for_sdk".into()));
    assert_eq!(ground.get(ORGANIZATION, &token).await.data()["organization"], before);
    assert_eq!(ground.ledger().await["policy_changes"], json!([]));
}

#[tokio::test]
async fn a_new_name_is_no_change_of_the_policy() {
    let ground = ground().await;
    let token = ground.token("admin");
    let before = ground.policy().await;
    let body = json!({"organization_name": "Acme & Daughters", "organization_logo_url": "https://logo.example.test/a"});
    let organization = ground.put(&token, body).await.data()["organization"].clone();
    assert_eq!(organization["organization_name"], "Acme & Daughters");
    assert_eq!(organization["organization_logo_url"], "https://logo.example.test/a");
    assert_eq!(organization["organization_slug"], "acme-robotics");
    assert_eq!(ground.policy().await, before);
    assert_eq!(ground.ledger().await["policy_changes"], json!([]));
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_in_the_ledger_as_unanswered() {
    let ground = ground().await;
    let token = ground.token("admin");
    let send = || ground.try_call("PUT", ORGANIZATION, &token, Some(json!({THIRD: "NOT_ALLOWED"})));
    ground.faults(json!({"reset_before_commit_share": 1, "on": ORGANIZATION})).await;
    assert!(send().await.is_err());
    ground.faults(json!({"reset_before_commit_share": null})).await;
    assert_eq!(ground.policy().await[THIRD], "ALL_ALLOWED");
    assert_eq!(ground.ledger().await["policy_changes"], json!([]));

    ground.faults(json!({"reset_after_commit_share": 1, "on": ORGANIZATION})).await;
    assert!(send().await.is_err());
    ground.faults(json!({"reset_after_commit_share": null, "body": "truncated", "on": ORGANIZATION})).await;
    assert_eq!(send().await.unwrap().status, 200);
    ground.faults(json!({"body": null})).await;
    assert_eq!(ground.policy().await[THIRD], "NOT_ALLOWED");
    let ledger = ground.ledger().await;
    let answered: Vec<&Value> =
        ledger["policy_changes"].as_array().unwrap().iter().map(|row| &row["answered"]).collect();
    assert_eq!(answered, [false, false]);
}

#[tokio::test]
async fn a_blocked_app_leaves_the_lists_or_its_own_view_too_or_nothing_and_its_grants_stay_each_time() {
    let ground = ground().await;
    let (app, member, _) = ground.app_and_two().await;
    let holders = ground.holders(&app).await;
    let others = ground.listed().await.len() - 1;
    ground.block(&app).await.data();
    assert!(!ground.listed().await.contains(&app));
    assert_eq!(ground.listed().await.len(), others, "every other app stays");
    assert_eq!(ground.view_status(&app).await, 200);
    assert_eq!(ground.members_of(&app).await, holders);
    assert!(!ground.apps_of(&member).await.contains(&app));

    ground.faults(json!({"policy_hides": true})).await;
    assert!(!ground.listed().await.contains(&app));
    assert_eq!(ground.view_status(&app).await, 404);
    assert!(!ground.apps_of(&member).await.contains(&app));

    ground.faults(json!({"policy_hides": false})).await;
    assert!(ground.listed().await.contains(&app));
    assert_eq!(ground.members_of(&app).await, holders);
    assert!(ground.apps_of(&member).await.contains(&app));
    let consent = json!({"member_id": member, "connected_app_id": app, "scopes": []});
    assert_eq!(ground.control("consent", consent).await.status, 400, "shown, and forbidden all the same");

    let scoped = ground.faults(json!({"policy_hides": false, "on": app})).await;
    assert_eq!(scoped["on"]["policy_hides"], json!(app));
    assert!(!ground.listed().await.contains(&app), "the list's path is out of scope");
    assert_eq!(ground.view_status(&app).await, 200);

    ground.faults(json!({"policy_hides": null})).await;
    assert!(!ground.listed().await.contains(&app));
    assert_eq!(ground.view_status(&app).await, 200);
    assert_eq!(ground.holders(&app).await, holders);
}

#[tokio::test]
async fn a_sandbox_started_with_an_open_policy_hides_nothing() {
    let ground = faulty(Faults { policy_hides: Some(false), ..Faults::default() }).await;
    let app = ground.app().await;
    ground.block(&app).await.data();
    assert_eq!(ground.view_status(&app).await, 200);
}

#[tokio::test]
async fn a_revoking_policy_ends_the_grants_of_what_it_newly_forbids_and_of_nothing_else() {
    let ground = ground().await;
    let second = {
        let listed = ground.post("/sdk/v1/b2b/discovery/organizations", &ground.token("admin"), json!({})).await.data();
        listed["discovered_organizations"][1]["organization"]["organization_id"].as_str().unwrap().to_owned()
    };
    let elsewhere = async || {
        let url = format!("{}?organization_id={second}", ground.sandbox.card().ledger_url);
        read(ground.http.get(url)).await.unwrap().json()["grants"].clone()
    };
    let app = ground.app().await;
    let all = ground.ledger().await["grants"].as_array().unwrap().len();
    let theirs = ground.holders(&app).await.len();
    let in_second = elsewhere().await;
    assert!(in_second.as_array().unwrap().iter().any(|grant| grant["connected_app_id"] == json!(app)));

    ground.block(&app).await.data();
    ground.faults(json!({"policy_revokes": true})).await;
    ground.put(&ground.token("admin"), json!({THIRD: "RESTRICTED"})).await.data();
    assert_eq!(ground.holders(&app).await.len(), theirs, "what was forbidden before is not newly so");
    ground.allow_all().await;
    ground.block(&app).await.data();
    assert!(ground.holders(&app).await.is_empty());
    assert_eq!(ground.ledger().await["grants"].as_array().unwrap().len(), all - theirs);
    assert_eq!(elsewhere().await, in_second, "another organization's grants are its own");
    assert_eq!(ground.ledger().await["revocations"], json!([]), "nobody asked for these revokes");
    ground.allow_all().await;
    assert!(ground.holders(&app).await.is_empty(), "what was revoked does not return with the policy");

    ground.control("policy", json!({THIRD: "NOT_ALLOWED"})).await;
    let left = ground.ledger().await["grants"].clone();
    assert!(!left.as_array().unwrap().is_empty(), "first-party apps are not concerned");
    ground.faults(json!({"policy_hides": false})).await;
    for row in ground.get(APPS, &ground.token("admin")).await.data()["connected_apps"].as_array().unwrap() {
        assert!(row["client_type"].as_str().unwrap().starts_with("first_party"), "{row}");
    }
}

#[tokio::test]
async fn a_stale_policy_governs_reads_and_consents_until_its_time_is_over() {
    let ground = ground().await;
    let (app, member, _) = ground.app_and_two().await;
    let consent = json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]});
    ground.faults(json!({"policy_stale_s": 1.5, "policy_hides": true})).await;
    ground.block(&app).await.data();
    assert_eq!(ground.policy().await[THIRD], "RESTRICTED", "the organization is answered as it is");
    assert!(ground.listed().await.contains(&app));
    assert_eq!(ground.view_status(&app).await, 200);
    assert_eq!(ground.control("consent", consent.clone()).await.status, 200);
    sleep_ms(1800).await;
    assert!(!ground.listed().await.contains(&app));
    assert_eq!(ground.view_status(&app).await, 404);
    assert_eq!(ground.control("consent", consent.clone()).await.status, 400);

    ground.allow_all().await;
    assert_eq!(ground.view_status(&app).await, 404, "an allowance is as stale as a block");
    assert_eq!(ground.control("consent", consent.clone()).await.status, 400);
    ground.faults(json!({"policy_stale_s": null})).await;
    assert_eq!(ground.view_status(&app).await, 200);
    assert_eq!(ground.control("faults", json!({"policy_stale_s": -1})).await.status, 400);
}

#[tokio::test]
async fn a_cap_shortens_the_lists_silently_and_the_ledger_not() {
    let ground = ground().await;
    let app = ground.app().await;
    let (apps, members) = (ground.listed().await, ground.members_of(&app).await);
    let own = ground.apps_of(&ground.person("member").member_id).await;
    assert!(apps.len() > 2 && members.len() > 2 && own.len() > 2);
    ground.faults(json!({"list_cap": 2})).await;
    assert_eq!(ground.listed().await.len(), 2);
    assert!(ground.listed().await.is_subset(&apps));
    assert_eq!(ground.members_of(&app).await.len(), 2);
    assert_eq!(ground.apps_of(&ground.person("member").member_id).await, own, "a member's list is not capped");
    assert_eq!(ground.holders(&app).await, members);
    ground.faults(json!({"list_cap": members.len() + 1})).await;
    assert_eq!(ground.members_of(&app).await, members);
    ground.faults(json!({"list_cap": 2, "on": app})).await;
    assert_eq!((ground.listed().await.len(), ground.members_of(&app).await.len()), (apps.len(), 2));
}

#[tokio::test]
async fn a_revoked_grant_comes_back_by_itself_after_its_time_and_every_time() {
    let ground = ground().await;
    let token = ground.token("admin");
    let (app, member, other) = ground.app_and_two().await;
    let scopes = async || {
        let ledger = ground.ledger().await;
        let rows = ledger["grants"].as_array().unwrap();
        let row = rows.iter().find(|row| row["member_id"] == json!(member) && row["connected_app_id"] == json!(app));
        row.map(|row| row["scopes"].clone())
    };
    let had = scopes().await;
    assert!(had.is_some());
    ground.faults(json!({"reconsent_after_ms": 1000})).await;
    for round in 1..=2 {
        ground.revoke(&member, &app, &token).await.unwrap().data();
        assert_eq!(scopes().await, None, "gone first");
        assert!(!ground.members_of(&app).await.contains(&member));
        sleep_ms(1300).await;
        assert_eq!(scopes().await, had, "and back with what was granted");
        assert!(ground.members_of(&app).await.contains(&member));
        assert!(ground.apps_of(&member).await.contains(&app));
        let revocations = ground.ledger().await["revocations"].clone();
        assert_eq!(revocations.as_array().unwrap().len(), round);
        assert_eq!(revocations[round - 1]["effect"], "removed", "the revoke was a real one");
    }
    assert!(ground.granted(&other, &app).await);

    ground.revoke(&member, &app, &token).await.unwrap().data();
    ground.control("consent", json!({"member_id": member, "connected_app_id": app, "scopes": ["email"]})).await;
    sleep_ms(1300).await;
    assert_eq!(scopes().await, Some(json!(["email"])), "a consent in the meantime stands");
}

#[tokio::test]
async fn only_the_named_apps_grants_come_back_and_none_after_it_is_called_off() {
    let ground = ground().await;
    let token = ground.token("admin");
    let (app, member, other) = ground.app_and_two().await;
    let another = ground.apps_of(&member).await.into_iter().find(|id| *id != app).expect("a second app");
    ground.faults(json!({"reconsent_after_ms": 200, "on": app})).await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
    ground.revoke(&member, &another, &token).await.unwrap().data();
    sleep_ms(400).await;
    assert!(ground.granted(&member, &app).await);
    assert!(!ground.granted(&member, &another).await);

    ground.faults(json!({"reconsent_after_ms": 1000})).await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
    ground.faults(json!({"reconsent_after_ms": null})).await;
    ground.revoke(&other, &app, &token).await.unwrap().data();
    sleep_ms(1300).await;
    assert!(!ground.granted(&member, &app).await, "it was on its way and called off");
    assert!(!ground.granted(&other, &app).await);
}

#[tokio::test]
async fn nothing_comes_back_under_a_policy_that_then_forbids_it_nor_to_a_deleted_member() {
    let ground = ground().await;
    let token = ground.token("admin");
    let (app, member, other) = ground.app_and_two().await;
    ground.faults(json!({"reconsent_after_ms": 1000})).await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
    ground.block(&app).await.data();
    sleep_ms(1300).await;
    ground.allow_all().await;
    assert!(!ground.granted(&member, &app).await, "the moment of coming back passed under the block");

    ground.revoke(&other, &app, &token).await.unwrap().data();
    ground.control("delete_member", json!({"member_id": other})).await;
    sleep_ms(1300).await;
    assert!(!ground.granted(&other, &app).await);

    let last = ground.somebody_of(&app).await;
    ground.faults(json!({"policy_stale_s": 3600})).await;
    ground.revoke(&last, &app, &token).await.unwrap().data();
    ground.control("policy", json!({THIRD: "NOT_ALLOWED"})).await;
    sleep_ms(1300).await;
    assert!(ground.granted(&last, &app).await, "a stale policy does not know of the block yet");
}

#[tokio::test]
async fn a_grant_that_comes_back_under_a_new_client_id_is_another_app_that_looks_the_same() {
    let ground = ground().await;
    let token = ground.token("admin");
    let (app, member, other) = ground.app_and_two().await;
    let before = ground.listed().await;
    ground.faults(json!({"reconsent_after_ms": 200, "reconsent_new_client_id": true})).await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
    assert_eq!(ground.listed().await, before, "made when it is needed and not before");
    ground.revoke(&other, &app, &token).await.unwrap().data();
    sleep_ms(400).await;
    let new: Vec<String> = ground.listed().await.difference(&before).cloned().collect();
    assert_eq!(new.len(), 1, "one new app for both members");
    assert!(new[0].starts_with("connected-app-test-"));
    assert_eq!(ground.holders(&new[0]).await, BTreeSet::from([member.clone(), other.clone()]));
    assert_eq!(ground.members_of(&new[0]).await, BTreeSet::from([member.clone(), other.clone()]));
    assert!(!ground.granted(&member, &app).await && !ground.granted(&other, &app).await);
    let view = async |id: &str| ground.get(&format!("{APPS}/{id}"), &token).await.data();
    let (old, made) = (view(&app).await, view(&new[0]).await);
    for field in ["name", "description", "client_type"] {
        assert_eq!(old[field], made[field]);
    }

    // The new app is one like any other: it is revoked, comes back as a third one, and the policy judges its own id.
    ground.revoke(&member, &new[0], &token).await.unwrap().data();
    ground.put(&token, json!({THIRD: "RESTRICTED", THIRD_LIST: [app, new[0]]})).await.data();
    sleep_ms(400).await;
    assert!(!ground.granted(&member, &new[0]).await);
    ground.faults(json!({"policy_hides": false})).await;
    assert_eq!(ground.listed().await.len(), before.len() + 1, "the third one's id was on no allowlist");
}

#[tokio::test]
async fn the_same_seed_brings_back_the_same_new_client_ids() {
    let run = async |seed: u64| {
        let ground = ground_with(Options { seed, ..Options::default() }).await;
        let (app, member, _) = ground.app_and_two().await;
        let before = ground.listed().await;
        ground.faults(json!({"reconsent_after_ms": 0, "reconsent_new_client_id": true})).await;
        ground.revoke(&member, &app, &ground.token("admin")).await.unwrap().data();
        ground.listed().await.difference(&before).cloned().collect::<Vec<_>>()
    };
    let one = run(1).await;
    assert_eq!(one.len(), 1);
    assert_eq!(one, run(1).await);
    assert_ne!(one, run(2).await);
}
