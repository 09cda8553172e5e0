// Every state of every screen as a scene: what the shell would answer, and the few steps that lead there.

import * as f from "./facts.js";

/** @typedef {import("../../../ui/contract.js").Commands} Commands */
/** @typedef {import("../../../ui/contract.js").Window} Window */
/** @typedef {import("../../../ui/contract.js").Refusal} Refusal */

/**
 * @typedef {{ [K in keyof Commands]?: (args: Commands[K]["args"]) => Commands[K]["reply"] | Promise<Commands[K]["reply"]> }} Answers
 */
/**
 * @typedef {object} Hands
 * @property {(test: string, nth?: number) => Promise<HTMLElement>} find
 * @property {(test: string, nth?: number) => Promise<void>} click
 * @property {(test: string, text: string) => Promise<void>} type
 * @property {(ms: number) => Promise<void>} rest
 */
/** @typedef {{ answers: Answers, steps?: (hands: Hands) => Promise<unknown>, ends: string }} Scene */

/** What a command that refuses throws. @param {unknown} refusal @returns {never} */
const refuse = (refusal) => { throw refusal; };
/** @returns {Promise<never>} */
const never = () => new Promise(() => {});

/** @template R @param {R[]} all @param {Window} window @param {(row: R) => string} text */
function cut(all, window, text) {
  const wanted = window.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = wanted.length === 0 ? all : all.filter((row) => wanted.every((word) => text(row).toLowerCase().includes(word)));
  return { rows: found.slice(window.offset, window.offset + window.count), matching: found.length, total: all.length, unreadable: [], read_at: f.at(-37) };
}

const fewMembers = Array.from({ length: 48 }, (_, n) => f.memberRow(n));
/** @type {import("../../../ui/contract.js").MemberRow[] | null} */
let manyMembers = null;

/** @type {Answers} */
const base = {
  session_status: () => ({ state: "signed_in", ...f.session }),
  session_restore: () => ({ state: "signed_in", ...f.session }),
  session_extend: () => ({ ...f.session, expires_at: f.at(3600) }),
  policy_read_again: () => ({ ...f.session, policy_read_at: f.at(0) }),
  sign_out: () => null,
  keyring_try_again: () => "keyring",
  connection_list: () => [f.connection],
  connection_add: () => f.connection,
  connection_remove: () => null,
  sandbox_start: () => ({ connection: f.sandbox, people: [{ role: "admin", email: "nora.adler@acme.test" }, { role: "reader", email: "theo.vance@acme.test" }, { role: "member", email: "ada.moreau@acme.test" }] }),
  sandbox_inbox: () => [{ to: "nora@acme.test", code: "481516", at: f.at(-2) }, { to: "nora.adler@acme.test", code: "234211", at: f.at(-1) }],
  sign_in_send_code: ({ email }) => ({ step: "code_sent", email, valid_until: f.at(600) }),
  sign_in_check_code: () => ({ step: "signed_in", ...f.session }),
  sign_in_choose_organization: () => ({ step: "signed_in", ...f.session }),
  sign_in_cancel: () => null,
  member_list: ({ window }) => cut(fewMembers, window, (row) => `${row.face.name} ${row.face.email} ${row.roles.join(" ")}`),
  connected_app_list: ({ window }) => cut(f.apps, window, (app) => `${app.name} ${app.description} ${app.client_type}`),
  member_connected_apps: ({ member_id }) => ({
    member: fewMembers.find((row) => row.face.member_id === member_id)?.face ?? f.person(0),
    grants: f.apps.slice(0, 6).map((app, n) => ({ app, scopes: f.scopes(n) })),
    unreadable: [],
    read_at: f.at(-3),
  }),
  connected_app_members: ({ connected_app_id, window }) => ({
    app: f.apps.find((app) => app.connected_app_id === connected_app_id) ?? f.dataSync,
    names_known: true,
    ...cut(Array.from({ length: 137 }, (_, n) => ({ member: f.person(n), scopes: f.scopes(n) })), window, (row) => `${row.member.name} ${row.member.email}`),
  }),
  revoke_plan: () => f.plan,
  revoke_connected_app: () => f.outcomes.revoked ?? never(),
  revoke_list: () => [],
  revoke_settle: () => f.outcomes.revoked_confirmed ?? never(),
};

/** @type {Answers} */
const out = { ...base, session_status: () => ({ state: "signed_out", ended: null, kept: null, keeping: "keyring" }) };

/** @param {Answers} [more] @returns {Answers} */
const signedIn = (more = {}) => ({ ...base, ...more });
/** @param {Answers} [more] @returns {Answers} */
const signedOut = (more = {}) => ({ ...out, ...more });
/** @param {import("../../../ui/contract.js").Session} who @param {Answers} [more] @returns {Answers} */
const as = (who, more = {}) => ({ ...base, session_status: () => ({ state: "signed_in", ...who }), policy_read_again: () => ({ ...who, policy_read_at: f.at(0) }), ...more });

/** @param {Hands} hands */
const toMembers = async (hands) => { await hands.click("nav-members"); await hands.find("row"); };
/** @param {Hands} hands */
const toMember = async (hands) => { await toMembers(hands); await hands.click("row"); await hands.find("detail-member"); await hands.find("revoke"); };
/** @param {Hands} hands */
const toConfirm = async (hands) => { await toMember(hands); await hands.click("revoke"); await hands.find("confirm"); };
/** @param {Hands} hands */
const toApp = async (hands) => { await hands.click("row"); await hands.find("detail-app"); };

/** @type {Record<string, Scene>} */
export const scenes = {
  // ---- sign in
  "sign-in-first-run": { answers: signedOut({ connection_list: () => [] }), ends: "step-connection" },
  "sign-in-one-connection": { answers: signedOut(), ends: "step-email" },
  "sign-in-connections": { answers: signedOut({ connection_list: () => [f.connection, f.live] }), steps: async (h) => { const rows = document.querySelectorAll("[data-test=connection] input"); /** @type {HTMLElement} */ (rows[1])?.click(); await h.rest(20); }, ends: "step-email" },
  "sign-in-sandbox": { answers: signedOut(), steps: (h) => h.click("try-sandbox"), ends: "sandbox-person" },
  "sign-in-advanced": { answers: signedOut({ connection_list: () => [] }), steps: async (h) => { const advanced = /** @type {HTMLDetailsElement} */ (await h.find("advanced")); advanced.open = true; }, ends: "step-connection" },
  "sign-in-bad-token": { answers: signedOut({ connection_list: () => [], connection_add: () => refuse({ kind: "bad_input", field: "public_token", fault: "secret" }) }), steps: async (h) => { await h.type("public-token", "secret-test-abc"); await h.click("save-connection"); }, ends: "wrong-public_token" },
  "sign-in-plain-http": { answers: signedOut({ connection_list: () => [], connection_add: () => refuse({ kind: "bad_input", field: "base_url", fault: "plain_http" }) }), steps: (h) => h.click("save-connection"), ends: "wrong-base_url" },
  "sign-in-unknown-host": { answers: signedOut({ connection_list: () => [], connection_add: ({ draft }) => (draft.host_confirmed ? f.live : refuse({ kind: "unknown_host", base_url: "https://login.northwind.example" })) }), steps: async (h) => { await h.type("public-token", f.connection.public_token); await h.click("save-connection"); }, ends: "unknown-host" },
  "sign-in-bad-email": { answers: signedOut({ sign_in_send_code: () => refuse({ kind: "bad_input", field: "email", fault: "malformed" }) }), steps: async (h) => { await h.type("email", "nora@"); await h.click("send-code"); }, ends: "wrong-email" },
  "sign-in-no-organization": { answers: signedOut({ sign_in_send_code: () => refuse({ kind: "no_organization" }) }), steps: (h) => h.click("send-code"), ends: "wrong-email" },
  "sign-in-code": { answers: signedOut(), steps: (h) => h.click("send-code"), ends: "step-code" },
  "sign-in-code-wrong": { answers: signedOut({ sign_in_check_code: () => refuse({ kind: "code_rejected", ...f.problem({ status: 401 }) }) }), steps: async (h) => { await h.click("send-code"); await h.type("code", "123456"); await h.click("check-code"); }, ends: "wrong-code" },
  "sign-in-code-sandbox": { answers: signedOut(), steps: async (h) => { await h.click("try-sandbox"); await h.click("sandbox-person"); }, ends: "inbox-code" },
  "sign-in-organizations": { answers: signedOut({ sign_in_check_code: () => ({ step: "choose_organization", organizations: [{ organization_id: "organization-test-1", name: "Acme Robotics", slug: "acme-robotics", membership: "active_member" }, { organization_id: "organization-test-2", name: "Acme Labs", slug: "acme-labs", membership: "invited_member" }, { organization_id: "organization-test-3", name: "<b>Evil</b>\u202Egro", slug: "evil", membership: "eligible_to_join_by_email_domain" }] }) }), steps: async (h) => { await h.click("send-code"); await h.type("code", "123456"); await h.click("check-code"); }, ends: "organization" },
  "sign-in-more-needed": { answers: signedOut({ sign_in_check_code: () => ({ step: "more_needed", what: "mfa", methods: ["totp", "sms_otp"] }) }), steps: async (h) => { await h.click("send-code"); await h.type("code", "123456"); await h.click("check-code"); }, ends: "step-more" },
  "sign-in-no-keyring": { answers: signedOut({ session_status: () => ({ state: "signed_out", ended: null, kept: null, keeping: "memory_no_keyring" }) }), ends: "banner-keeping" },
  "sign-in-kept": { answers: signedOut({ session_status: () => ({ state: "signed_out", ended: null, kept: f.problem({ cause: "dns" }), keeping: "keyring" }) }), ends: "banner-kept" },
  "sign-in-ended": { answers: signedOut({ session_status: () => ({ state: "signed_out", ended: { at: f.at(-30), organization_name: "Acme Robotics", request_id: f.REQUEST }, kept: null, keeping: "memory_locked" }) }), ends: "banner-ended" },
  "sign-in-bundle-id": { answers: signedOut({ sign_in_send_code: () => refuse(f.refusals.bundle_id_not_registered) }), steps: (h) => h.click("send-code"), ends: "dialog" },
  "sign-in-captcha": { answers: signedOut({ sign_in_send_code: () => refuse(f.refusals.captcha_required) }), steps: (h) => h.click("send-code"), ends: "dialog" },
  "sign-in-offline": { answers: signedOut({ sign_in_send_code: () => refuse(f.refusals.offline) }), steps: (h) => h.click("send-code"), ends: "dialog" },
  "sign-in-sandbox-no-keyring": { answers: signedOut({ session_status: () => ({ state: "signed_out", ended: null, kept: null, keeping: "memory_no_keyring" }), connection_list: () => [f.sandbox, f.connection] }), ends: "sandbox-people" },
  "boot-shell-refused": { answers: { session_status: () => refuse("session_status not allowed. Permissions associated with this command: none") }, ends: "boot-refused" },
  "boot-journal": { answers: { session_status: () => refuse(f.refusals.journal_unforeseen) }, ends: "boot-refused" },

  // ---- apps
  "apps": { answers: signedIn(), steps: (h) => h.find("row"), ends: "screen-apps" },
  "apps-detail": { answers: signedIn(), steps: async (h) => { await toApp(h); await h.find("revoke"); }, ends: "detail-app" },
  "apps-detail-first-party": { answers: signedIn(), steps: async (h) => { await h.click("row", 3); await h.find("revoke"); }, ends: "detail-app" },
  "apps-detail-names-denied": { answers: signedIn({ connected_app_members: ({ window }) => ({ app: f.dataSync, names_known: false, ...cut(Array.from({ length: 9 }, (_, n) => ({ member: { ...f.person(n), name: null, email: null }, scopes: f.scopes(n) })), window, (row) => row.member.member_id) }) }), steps: async (h) => { await toApp(h); await h.find("revoke"); }, ends: "detail-app" },
  "apps-filter-nothing": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.type("filter", "no such app"); }, ends: "empty" },
  "apps-empty": { answers: signedIn({ connected_app_list: ({ window }) => cut([], window, () => "") }), ends: "empty" },
  "apps-loading": { answers: signedIn({ connected_app_list: never }), ends: "loading" },
  "apps-offline": { answers: signedIn({ connected_app_list: () => refuse(f.refusals.offline) }), ends: "refused" },
  "apps-rate-limited": { answers: signedIn({ connected_app_list: () => refuse(f.refusals.rate_limited) }), ends: "refused" },
  "apps-endpoint-off": { answers: signedIn({ connected_app_list: () => refuse(f.refusals.sdk_endpoint_off) }), ends: "refused" },
  "apps-stale": { answers: signedIn({ connected_app_list: ({ window }) => (window.reread ? refuse(f.refusals.offline) : { ...cut(f.apps, window, (app) => app.name), read_at: f.at(-1300) }) }), steps: async (h) => { await h.find("row"); await h.click("read-again"); }, ends: "stale" },
  "apps-unreadable": { answers: signedIn({ connected_app_list: ({ window }) => ({ ...cut(f.apps.slice(0, 5), window, (app) => app.name), unreadable: [{ index: 3, reason: "invalid type: integer `7`, expected a string" }, { index: 6, reason: "missing field `connected_app_id`" }] }) }), ends: "row-unreadable" },
  "apps-hostile": { answers: signedIn({ connected_app_list: ({ window }) => cut(f.hostile, window, (app) => app.name) }), steps: (h) => h.find("row"), ends: "screen-apps" },
  "apps-hostile-detail": { answers: signedIn({ connected_app_list: ({ window }) => cut(f.hostile, window, (app) => app.name), connected_app_members: ({ connected_app_id, window }) => ({ app: f.hostile.find((app) => app.connected_app_id === connected_app_id) ?? f.dataSync, names_known: true, ...cut(f.hostileMembers.map((row, n) => ({ member: row.face, scopes: n % 2 ? ["<u>scope</u>", "\u202Escope"] : ["s".repeat(3000)] })), window, (row) => row.member.member_id) }) }), steps: async (h) => { await h.click("row", 3); await h.find("revoke"); }, ends: "detail-app" },

  // ---- members
  "members": { answers: signedIn(), steps: toMembers, ends: "screen-members" },
  "members-detail": { answers: signedIn(), steps: toMember, ends: "detail-member" },
  "members-detail-empty": { answers: signedIn({ member_connected_apps: () => ({ member: f.person(1), grants: [], unreadable: [], read_at: f.at(-2) }) }), steps: async (h) => { await toMembers(h); await h.click("row", 1); await h.find("detail-member"); }, ends: "empty" },
  "members-detail-unreadable": { answers: signedIn({ member_connected_apps: () => ({ member: f.person(1), grants: [{ app: f.dataSync, scopes: ["openid"] }], unreadable: [{ index: 1, reason: "lone leading surrogate in hex escape" }], read_at: f.at(-2) }) }), steps: toMember, ends: "row-unreadable" },
  "members-detail-loading": { answers: signedIn({ member_connected_apps: never }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.find("loading"); }, ends: "detail-member" },
  "members-detail-gone": { answers: signedIn({ member_connected_apps: () => refuse(f.refusals.member_gone) }), steps: async (h) => { await toMembers(h); await h.click("row"); }, ends: "refused" },
  "members-ten-thousand": { answers: signedIn({ member_list: ({ window }) => cut((manyMembers ??= Array.from({ length: 10_000 }, (_, n) => f.memberRow(n))), window, (row) => `${row.face.name} ${row.face.email}`) }), steps: async (h) => { await toMembers(h); const list = document.querySelector("[data-test=rows]"); if (list) list.scrollTop = 250_000; await h.rest(400); }, ends: "screen-members" },
  "members-hostile": { answers: signedIn({ member_list: ({ window }) => cut(f.hostileMembers, window, (row) => row.face.member_id) }), steps: toMembers, ends: "screen-members" },
  "members-hostile-detail": { answers: signedIn({ member_list: ({ window }) => cut(f.hostileMembers, window, (row) => row.face.member_id), member_connected_apps: () => ({ member: f.hostileMembers[3]?.face ?? f.person(0), grants: f.hostile.map((app) => ({ app, scopes: ["<u>scope</u>", "s".repeat(3000)] })), unreadable: [], read_at: f.at(-2) }) }), steps: async (h) => { await toMembers(h); await h.click("row", 3); await h.find("revoke"); }, ends: "detail-member" },
  "reader-detail": { answers: as(f.reader), steps: async (h) => { await toMembers(h); await h.click("row"); await h.find("why-not"); }, ends: "denied-reason" },
  "reader-why": { answers: as(f.reader, { revoke_plan: () => ({ ...f.plan, denied: { ...f.denial, asked: false, request_id: null } }) }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.click("why-not"); }, ends: "ask-anyway" },
  "reader-ask-anyway": { answers: as(f.reader, { revoke_plan: () => ({ ...f.plan, denied: { ...f.denial, asked: false, request_id: null } }) }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.click("why-not"); await h.click("ask-anyway"); }, ends: "confirm" },
  "reader-policy-again": { answers: as(f.reader, { revoke_plan: () => ({ ...f.plan, denied: { ...f.denial, asked: false, request_id: null } }) }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.click("why-not"); await h.click("policy-again"); await h.rest(100); }, ends: "dialog" },
  "plain-member": { answers: as(f.plain, { member_list: () => refuse({ kind: "not_allowed", ...f.denial, action: "search", asked: false, request_id: null, your_roles: ["stytch_member"], roles_that_hold_it: ["stytch_admin", "app_reader"] }), member_connected_apps: () => ({ member: { ...f.person(13), yourself: true }, grants: f.apps.slice(0, 3).map((app, n) => ({ app, scopes: f.scopes(n) })), unreadable: [], read_at: f.at(-2) }) }), steps: (h) => h.find("revoke"), ends: "refused" },
  "no-policy": { answers: as({ ...f.session, policy_read_at: null, may: f.may({ revoke_member_app: null, search_members: null }) }), steps: toMember, ends: "detail-member" },

  // ---- the frame
  "frame-account": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("account-menu"); }, ends: "sign-out" },
  "frame-live-soon": { answers: as({ ...f.session, connection: f.live, organization_name: "An organization whose name is so long that it cannot stand in any bar whole, whatever the window", expires_at: f.at(200), keeping: "memory_refused", impersonator: "support@vendor.example" }), steps: (h) => h.find("row"), ends: "banner-impersonator" },
  "frame-sandbox": { answers: as({ ...f.session, connection: f.sandbox, keeping: "memory_sandbox" }), steps: (h) => h.find("row"), ends: "screen-apps" },
  "frame-no-keyring": { answers: as({ ...f.session, keeping: "memory_no_keyring" }), steps: (h) => h.find("row"), ends: "banner-keeping" },
  "frame-unsettled": { answers: signedIn({ revoke_list: () => [f.report("unknown", { answered_at: null, unsettled: true })] }), steps: (h) => h.find("row"), ends: "banner-unsettled" },
  "frame-not-signed-out": { answers: signedIn({ sign_out: () => refuse(f.refusals.not_signed_out_at_server) }), steps: async (h) => { await h.find("row"); await h.click("account-menu"); await h.click("sign-out"); }, ends: "sign-out-anyway" },

  // ---- activity
  "activity": { answers: signedIn({ revoke_list: () => Object.values(f.outcomes).map((one, n) => ({ ...one, sweep_id: `s${n}`, member: f.person(n), app: f.apps[n % f.apps.length] ?? f.dataSync, began_at: f.at(-n * 1900 - 10) })) }), steps: async (h) => { await h.click("nav-activity"); await h.find("row"); }, ends: "screen-activity" },
  "activity-empty": { answers: signedIn(), steps: (h) => h.click("nav-activity"), ends: "empty" },
  "activity-journal": { answers: signedIn({ revoke_list: () => refuse(f.refusals.journal_full) }), steps: (h) => h.click("nav-activity"), ends: "refused" },
  "activity-elsewhere": { answers: signedIn({ revoke_list: () => [f.report("unknown", { answered_at: null, unsettled: true, here: false, organization_name: "Northwind Traders", environment: "live" }), f.report("revoked", { gone_at: f.at(-300), confirm_due_at: f.at(300), began_at: f.at(-302) })] }), steps: async (h) => { await h.click("nav-activity"); await h.find("row"); }, ends: "screen-activity" },
  "activity-open": { answers: signedIn({ revoke_list: () => [f.report("unknown", { answered_at: null, unsettled: true, request_id: null, problem: f.problem({ cause: "reset" }) }), f.report("revoked", { gone_at: f.at(-300), confirm_due_at: f.at(300), began_at: f.at(-302) })] }), steps: async (h) => { await h.click("nav-activity"); await h.click("row"); }, ends: "settle" },

  // ---- the revoke
  "confirm": { answers: signedIn(), steps: toConfirm, ends: "confirm" },
  "confirm-warnings": { answers: signedIn({ revoke_plan: () => ({ ...f.plan, app: f.cli, full_access: true, may_reconnect: null, environment: "live", scopes: ["openid", "full_access"] }) }), steps: toConfirm, ends: "confirm" },
  "confirm-unknown": { answers: signedIn({ revoke_plan: () => ({ ...f.plan, app: { ...f.dataSync, client_type: "", first_party: false }, scopes: null, full_access: null, may_reconnect: null }) }), steps: toConfirm, ends: "confirm" },
  "confirm-send-again": { answers: signedIn({ revoke_list: () => [f.report("unknown", { answered_at: null, unsettled: true, request_id: null })] }), steps: async (h) => { await h.click("nav-activity"); await h.click("row"); await h.click("send-again"); }, ends: "confirm" },
  "confirm-hostile": { answers: signedIn({ revoke_plan: () => ({ ...f.plan, app: f.hostile[3] ?? f.dataSync, member: f.hostileMembers[1]?.face ?? f.person(0), scopes: ["s".repeat(9000), "<b>x</b>"], organization_name: "O".repeat(400) }) }), steps: toConfirm, ends: "confirm" },
  "planning": { answers: signedIn({ revoke_plan: never }), steps: async (h) => { await toMember(h); await h.click("revoke"); await h.rest(250); }, ends: "cancel" },
  "running": { answers: signedIn({ revoke_connected_app: ({ progress }) => { const say = /** @type {any} */ (progress).onmessage; for (const step of ["recorded", "sent", "answered", "reading_again", "waiting", "reading_again"]) say(step); return never(); } }), steps: async (h) => { await toConfirm(h); await h.click("confirm"); }, ends: "steps" },
  "running-sent": { answers: signedIn({ revoke_connected_app: ({ progress }) => { const say = /** @type {any} */ (progress).onmessage; for (const step of ["recorded", "sent"]) say(step); return never(); } }), steps: async (h) => { await toConfirm(h); await h.click("confirm"); }, ends: "steps" },
};

for (const [name, report] of Object.entries(f.outcomes)) {
  scenes[`outcome-${name}`] = {
    answers: signedIn({ revoke_connected_app: () => report }),
    steps: async (h) => { await toConfirm(h); await h.click("confirm"); await h.find("close"); },
    ends: "dialog",
  };
}
for (const [name, refusal] of Object.entries(f.refusals)) {
  scenes[`refusal-${name}`] = {
    answers: signedIn({ revoke_connected_app: () => refuse(refusal) }),
    steps: async (h) => { await toConfirm(h); await h.click("confirm"); await h.find("close"); },
    ends: "dialog",
  };
}
scenes["refusal-shell"] = { answers: signedIn({ revoke_plan: () => refuse("Command revoke_plan not allowed by ACL") }), steps: async (h) => { await toMember(h); await h.click("revoke"); }, ends: "close" };
scenes["refusal-unexpected"] = { answers: signedIn({ revoke_plan: () => refuse(new Error("nobody foresaw this")) }), steps: async (h) => { await toMember(h); await h.click("revoke"); }, ends: "close" };
