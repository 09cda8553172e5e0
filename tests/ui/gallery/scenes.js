// Every state of every screen as a scene: what the shell would answer, and the few steps that lead there.

import * as f from "./facts.js";
import { hostileOrganization, inventory, organization } from "./inventory.js";
import * as containing from "./containing.js";
import * as sweeping from "./sweeping.js";

/** @typedef {import("../../../ui/contract.js").Commands} Commands */
/** @typedef {import("../../../ui/contract.js").Refusal} Refusal */

/**
 * @typedef {{ [K in keyof Commands]?: (args: Commands[K]["args"]) => Commands[K]["reply"] | Promise<Commands[K]["reply"]> }} Answers
 */
/**
 * @typedef {object} Hands
 * @property {(test: string, nth?: number) => Promise<HTMLElement>} find
 * @property {(test: string, nth?: number, unseen?: boolean) => Promise<void>} click
 * @property {(test: string, key: string) => Promise<void>} key
 * @property {(key: string) => Promise<void>} press
 * @property {(test: string, value: string) => Promise<void>} choose
 * @property {(test: string, text: string) => Promise<void>} type
 * @property {(ms: number) => Promise<void>} rest
 */
/** @typedef {{ answers: Answers, steps?: (hands: Hands) => Promise<unknown>, ends: string }} Scene */

/** What a command that refuses throws. @param {unknown} refusal @returns {never} */
const refuse = (refusal) => { throw refusal; };
/** @returns {Promise<never>} */
const never = () => new Promise(() => {});

const fewMembers = Array.from({ length: 48 }, (_, n) => f.memberRow(n));
const few = organization(48, 24);
const usual = inventory(few);

/** Ten thousand members, a hundred apps: made only where a scene looks at them. @type {ReturnType<typeof inventory> | null} */
let kept = null;
const many = () => (kept ??= inventory(organization(10_000, 100)));
/** The same answers, each made only when asked. @returns {Answers} */
const large = () => /** @type {Answers} */ (Object.fromEntries(Object.keys(usual.answers).map((name) => [name, (/** @type {any} */ args) => /** @type {any} */ (many().answers)[name](args)])));

/** @param {Partial<import("../../../ui/contract.js").ReadingProgress>} [given] @returns {import("../../../ui/contract.js").ReadingProgress} */
const progress = (given = {}) => ({ began_at: f.at(-4), calls: 11, calls_expected: 26, apps: 24, apps_done: 9, members: 48, grants: 137, left_ms: 12_000, waiting_until: null, ...given });
/** A reading that never ends, told so far. @param {import("../../../ui/contract.js").ReadingProgress} so @returns {NonNullable<Answers["inventory_read"]>} */
const reading = (so) => ({ progress: channel }) => { /** @type {any} */ (channel).onmessage(so); return never(); };
/** A reading that goes on until it is stopped. @returns {Answers} */
const stoppable = () => {
  /** @type {(reason: unknown) => void} */
  let end = () => {};
  return {
    inventory_read: ({ progress: channel }) => { /** @type {any} */ (channel).onmessage(progress()); return new Promise((_, reject) => { end = reject; }); },
    inventory_cancel: () => { end({ kind: "cancelled" }); return null; },
  };
};
/** @param {Answers} more @returns {Answers} */
const nothingRead = (more) => ({ inventory_status: () => ({ picture: null, reading: null, snapshots: 0 }), inventory_apps: () => refuse({ kind: "nothing_read" }), inventory_members: () => refuse({ kind: "nothing_read" }), inventory_map: () => refuse({ kind: "nothing_read" }), ...more });
const NONE = { new: 0, widened: 0, narrowed: 0, altered: 0, gone: 0 };
/** The first 9 apps, as much as a first reading has brought. */
const begun = inventory({ ...few, grants: few.grants.filter((grant) => grant.app < 9) }, { facts: { source: "under_way", snapshot: null, complete: false, apps_read: 9, since: null, changes: NONE } });
const names = inventory(few, { idsOnly: true });
const lacking = inventory({ ...few, apps: few.apps.map((app, n) => (n === 0 ? { ...app, reading: "denied" } : n === 12 ? { ...app, reading: "offline" } : n === 13 ? { ...app, reading: "partial" } : app)), grants: few.grants.filter((grant) => grant.app !== 0 && grant.app !== 12) }, {
  facts: { complete: false, missing: [
    { what: "app", app: f.dataSync, cause: "denied", problem: f.problem({ status: 403, error_type: "rbac_unauthorized", request_id: f.REQUEST }), rows: 0 },
    { what: "app", app: few.apps[12]?.face ?? f.cli, cause: "offline", problem: f.problem({ cause: "timed_out", message: "no bytes for 30 s" }), rows: 0 },
    { what: "app", app: { connected_app_id: "connected-app-test-hidden", name: "Quill Mail", description: "", client_type: "third_party", first_party: false }, cause: "hidden", problem: f.problem({}), rows: 0 },
    { what: "app_rows", app: few.apps[13]?.face ?? f.cli, cause: "unreadable_rows", problem: f.problem({ status: 200, request_id: f.REQUEST }), rows: 2 },
  ] },
  unreadable: [{ index: 3, reason: "invalid type: integer `7`, expected a string" }, { index: 6, reason: "missing field `connected_app_id`" }],
});
const empty = inventory({ apps: [], members: few.members.slice(0, 3), grants: [] }, { facts: { since: null, changes: NONE }, snapshots: 1 });
const hostile = inventory(hostileOrganization());
const old = { source: /** @type {const} */ ("kept"), began_at: f.at(-14 * 3600), read_at: f.at(-14 * 3600), read_only: true };
const stored = inventory(few, { facts: old });
/** The first app is there until the inventory is read anew: then the policy hides it, or the list simply has it no more. @param {"hidden" | null} cause @returns {Answers} */
const vanishing = (cause) => {
  const missing = cause === null ? [] : [{ what: "app", app: { ...f.dataSync, name: "" }, cause, problem: f.problem({}), rows: 0 }];
  const after = inventory({ ...few, apps: few.apps.slice(1), grants: few.grants.filter((grant) => grant.app > 0).map((grant) => ({ ...grant, app: grant.app - 1 })) }, { facts: { complete: cause === null, missing, snapshot: 10, read_at: f.at(-2) } });
  let now = usual.answers;
  return {
    .../** @type {Answers} */ (Object.fromEntries(Object.keys(usual.answers).map((name) => [name, (/** @type {any} */ args) => /** @type {any} */ (now)[name](args)]))),
    inventory_read: (args) => { now = after.answers; return now.inventory_read?.(args) ?? never(); },
  };
};

/** What the server would say that one member has. @param {string} id */
const held = (id) => {
  const at = few.members.findIndex((one) => one.face.member_id === id);
  const own = few.grants.filter((grant) => grant.member === at).map((grant) => ({ app: few.apps[grant.app]?.face ?? f.dataSync, scopes: grant.scopes }));
  return own.length > 0 ? own : f.apps.slice(0, 6).map((app, n) => ({ app, scopes: f.scopes(n) }));
};

/** @type {Answers} */
const base = {
  ...usual.answers,
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
  member_connected_apps: ({ member_id }) => ({
    member: fewMembers.find((row) => row.face.member_id === member_id)?.face ?? f.person(0),
    grants: held(member_id),
    unreadable: [],
    read_at: f.at(-3),
  }),
  revoke_plan: () => f.plan,
  revoke_connected_app: () => f.outcomes.revoked ?? never(),
  revoke_list: () => [],
  revoke_settle: () => f.outcomes.revoked_confirmed ?? never(),
  ...sweeping.answers(),
  ...containing.answers(),
};

/** @type {Answers} */
const out = { ...base, inventory_status: () => ({ picture: null, reading: null, snapshots: 0 }), session_status: () => ({ state: "signed_out", ended: null, kept: null, keeping: "keyring" }) };

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
const toMap = async (hands) => { await hands.find("row"); await hands.click("nav-map"); await hands.find("map"); await hands.rest(250); };
/** @param {Hands} hands */
const toApp = async (hands) => { await hands.click("row"); await hands.find("detail-app"); };

/** @param {Hands} hands */
const toPlan = async (hands) => { await toApp(hands); await hands.click("revoke-all"); await hands.find("plan-typed"); await hands.rest(60); };
/** @param {Hands} hands */
const openedPlan = async (hands) => { await hands.find("row"); await hands.click("palette-open"); await hands.type("palette", "open a plan"); await hands.rest(150); await hands.key("palette", "Enter"); await hands.find("plan-typed"); };
/** @param {Hands} hands */
const toContain = async (hands) => { await toApp(hands); await hands.click("contain"); await hands.find("contain-typed"); await hands.rest(120); };
/** @param {string} words */
const byPalette = (words) => async (/** @type {Hands} */ hands) => { await hands.find("row"); await hands.click("palette-open"); await hands.type("palette", words); await hands.rest(150); await hands.key("palette", "Enter"); await hands.find("dialog"); await hands.rest(120); };
/** @param {Hands} hands */
const toLift = async (hands) => { await toSweep(hands); await hands.click("sweep-lift"); await hands.find("lift-go"); await hands.rest(60); };
/** A sweep that blocked, and is done. @param {Partial<import("../../../ui/contract.js").Sweep>} [given] */
const contained = (given = {}) => sweeping.done({ policy: containing.blocked(), ...given });
/** @param {Hands} hands */
const toSweep = async (hands) => { await hands.click("nav-activity"); await hands.click("row"); await hands.find("sweep-now"); await hands.rest(80); };

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
  "apps-detail-hidden": { answers: signedIn(vanishing("hidden")), steps: async (h) => { await toApp(h); await h.find("revoke"); await h.click("detail-read-again"); await h.find("empty"); }, ends: "detail-app" },
  "apps-vanishing": { answers: signedIn(vanishing("hidden")), steps: async (h) => { await toApp(h); await h.find("revoke"); }, ends: "detail-app" },
  "apps-detail-unlisted": { answers: signedIn(vanishing(null)), steps: async (h) => { await toApp(h); await h.find("revoke"); await h.click("detail-read-again"); await h.find("empty"); }, ends: "detail-app" },
  "apps-detail-first-party": { answers: signedIn(), steps: async (h) => { await h.type("filter", "acme cli"); await h.rest(300); await h.click("row"); await h.find("revoke"); }, ends: "detail-app" },
  "apps-group": { answers: signedIn(), steps: async (h) => { await h.type("filter", "claude"); await h.rest(300); await h.click("row"); await h.find("client"); }, ends: "detail-app" },
  "apps-group-client": { answers: signedIn(), steps: async (h) => { await h.type("filter", "claude"); await h.rest(300); await h.click("row"); await h.click("client"); await h.find("group-back"); }, ends: "detail-app" },
  "apps-flagged": { answers: signedIn(), steps: async (h) => { await h.find("row"); const odd = await h.find("odd"); odd.closest("[data-index]")?.dispatchEvent(new MouseEvent("click", { bubbles: true })); await h.find("group-open"); }, ends: "detail-app" },
  "apps-detail-names-denied": { answers: signedIn({ ...names.answers }), steps: async (h) => { await toApp(h); await h.find("revoke"); }, ends: "detail-app" },
  "apps-filter-nothing": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.type("filter", "no such app"); }, ends: "empty" },
  "apps-filtered": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("filter-menu"); await h.click("facet-client_types"); await h.click("facet-levels"); await h.click("facet-scopes"); document.querySelector(/** @type {any} */ ("[data-test=filters]"))?.hidePopover(); await h.type("filter", "o"); await h.rest(300); }, ends: "chip" },
  "apps-filter-menu": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("filter-menu"); await h.find("facet-scopes"); }, ends: "filters" },
  "apps-export-menu": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("export"); }, ends: "export-csv" },
  "apps-exported": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("export"); await h.click("export-csv"); }, ends: "said" },
  "apps-export-refused": { answers: signedIn({ inventory_export: () => refuse({ kind: "export", fault: "full", folder: "/Users/nora/Downloads" }) }), steps: async (h) => { await h.find("row"); await h.click("export"); await h.click("export-json"); }, ends: "dialog" },
  "apps-selected": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("row-check"); await h.click("row-check", 2); await h.click("row-check", 4); await h.find("selection"); await h.rest(200); }, ends: "selection-count" },
  "apps-selected-all": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.type("filter", "third"); await h.rest(300); await h.click("select-all"); await h.click("row-check", 1); await h.type("filter", "o"); await h.rest(400); }, ends: "selection-count" },
  "apps-sorted": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("sort-width"); await h.rest(200); }, ends: "screen-apps" },
  "apps-empty": { answers: signedIn({ ...empty.answers }), ends: "empty" },
  "apps-waiting-for-status": { answers: signedIn({ inventory_status: async () => (document.querySelector("[data-test=shell]") ? never() : { picture: null, reading: null, snapshots: 0 }) }), ends: "loading" },
  "apps-loading": { answers: signedIn({ inventory_apps: never }), ends: "loading" },
  "apps-first-reading": { answers: signedIn(nothingRead({ inventory_read: reading(progress({ calls: 1, calls_expected: null, apps: null, apps_done: 0, grants: 0, members: 0, left_ms: null })) })), ends: "first-reading" },
  "apps-first-counts": { answers: signedIn(nothingRead({ inventory_read: reading(progress()) })), ends: "first-reading" },
  "apps-under-way": { answers: signedIn({ ...begun.answers, inventory_read: reading(progress()) }), steps: (h) => h.find("row"), ends: "read-cancel" },
  "apps-reading-again": { answers: signedIn({ inventory_read: reading(progress()) }), steps: async (h) => { await h.find("row"); (await h.find("read-again")).focus(); await h.click("read-again"); await h.rest(100); }, ends: "read-cancel" },
  "apps-stopped": { answers: signedIn(stoppable()), steps: async (h) => { await h.find("row"); await h.click("read-again"); await h.click("read-cancel"); await h.find("read-again"); await h.rest(150); }, ends: "read-again" },
  "apps-elsewhere": { answers: signedIn({ inventory_status: () => ({ picture: usual.facts, reading: progress(), snapshots: 9 }) }), steps: (h) => h.find("row"), ends: "read-cancel" },
  "apps-rate-limited": { answers: signedIn({ inventory_read: reading(progress({ waiting_until: f.at(48), left_ms: 61_000 })) }), steps: async (h) => { await h.find("row"); await h.click("read-again"); }, ends: "waiting" },
  "apps-offline": { answers: signedIn(nothingRead({ inventory_read: () => refuse(f.refusals.offline) })), ends: "refused" },
  "apps-endpoint-off": { answers: signedIn(nothingRead({ inventory_read: () => refuse(f.refusals.sdk_endpoint_off) })), ends: "refused" },
  "apps-stale": { answers: signedIn({ inventory_status: () => ({ picture: { ...usual.facts, read_at: f.at(-1300) }, reading: null, snapshots: 9 }), inventory_read: () => refuse(f.refusals.offline) }), steps: (h) => h.find("row"), ends: "stale" },
  "apps-partial": { answers: signedIn({ ...lacking.answers }), steps: (h) => h.find("row"), ends: "partial" },
  "apps-partial-details": { answers: signedIn({ ...lacking.answers }), steps: async (h) => { await h.find("row"); await h.click("partial-details"); }, ends: "missing" },
  "apps-partial-detail": { answers: signedIn({ ...lacking.answers }), steps: async (h) => { await h.find("row"); await h.type("filter", "datasync"); await h.rest(300); await h.click("row"); }, ends: "detail-app" },
  "apps-unreadable": { answers: signedIn({ ...inventory({ ...few, apps: few.apps.slice(0, 3), grants: few.grants.filter((grant) => grant.app < 3) }, { unreadable: [{ index: 3, reason: "invalid type: integer `7`, expected a string" }, { index: 6, reason: "missing field `connected_app_id`" }] }).answers }), ends: "row-unreadable" },
  "apps-hostile": { answers: signedIn({ ...hostile.answers }), steps: (h) => h.find("row"), ends: "screen-apps" },
  "apps-hostile-detail": { answers: signedIn({ ...hostile.answers }), steps: async (h) => { await h.click("row", 3); await h.find("revoke"); }, ends: "detail-app" },
  "apps-large": { answers: signedIn(large()), steps: (h) => h.find("row"), ends: "screen-apps" },

  // ---- what was kept, before anybody is known to be signed in
  "kept-checking": { answers: signedIn({ ...stored.answers, session_status: never }), steps: (h) => h.find("row"), ends: "banner-read-only" },
  "kept-signed-out": { answers: signedIn({ ...stored.answers, session_status: () => ({ state: "signed_out", ended: null, kept: null, keeping: "keyring" }) }), steps: async (h) => { await h.find("row"); await h.find("sign-in-again"); }, ends: "banner-read-only" },
  "kept-offline": { answers: signedIn({ ...stored.answers, session_status: () => ({ state: "signed_out", ended: null, kept: f.problem({ cause: "dns" }), keeping: "keyring" }) }), steps: async (h) => { await h.find("row"); await h.find("session-restore"); await h.click("row"); await h.find("revoke"); }, ends: "banner-read-only" },
  "kept-member": { answers: signedIn({ ...stored.answers, session_status: never }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.find("revoke"); }, ends: "detail-member" },
  "kept-live": { answers: signedIn({ ...stored.answers, session_status: async () => { do await new Promise((done) => setTimeout(done, 200)); while (/** @type {any} */ (window).held); return { state: "signed_in", ...f.session }; }, inventory_read: reading(progress()) }), steps: async (h) => { await h.find("row"); await h.find("account-menu"); await h.find("read-cancel"); }, ends: "screen-apps" },

  // ---- members
  "members": { answers: signedIn(), steps: toMembers, ends: "screen-members" },
  "members-detail": { answers: signedIn(), steps: toMember, ends: "detail-member" },
  "members-detail-empty": { answers: signedIn({ member_connected_apps: () => ({ member: f.person(1), grants: [], unreadable: [], read_at: f.at(-2) }) }), steps: async (h) => { await toMembers(h); await h.click("row", 1); await h.find("detail-member"); }, ends: "empty" },
  "members-detail-unreadable": { answers: signedIn({ member_connected_apps: () => ({ member: f.person(1), grants: [{ app: f.dataSync, scopes: ["openid"] }], unreadable: [{ index: 1, reason: "lone leading surrogate in hex escape" }], read_at: f.at(-2) }) }), steps: toMember, ends: "row-unreadable" },
  "members-detail-by-id": { answers: signedIn({ member_connected_apps: ({ member_id }) => ({ member: { member_id, name: null, email: null, yourself: false }, grants: [{ app: f.dataSync, scopes: ["openid"] }], unreadable: [], read_at: f.at(-2) }) }), steps: async (h) => { await h.find("row"); await h.click("palette-open"); await h.type("palette", "ada.moreau"); await h.rest(150); await h.key("palette", "Enter"); await h.find("revoke"); }, ends: "revoke" },
  "members-detail-loading": { answers: signedIn({ member_connected_apps: never }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.find("loading"); }, ends: "detail-member" },
  "members-detail-gone": { answers: signedIn({ member_connected_apps: () => refuse(f.refusals.member_gone) }), steps: async (h) => { await toMembers(h); await h.click("row"); }, ends: "refused" },
  "members-filtered": { answers: signedIn(), steps: async (h) => { await toMembers(h); await h.type("filter", "ada"); await h.rest(300); }, ends: "screen-members" },
  "members-selected": { answers: signedIn(), steps: async (h) => { await toMembers(h); await h.click("select-all"); await h.click("row-check", 3); await h.rest(200); }, ends: "selection-count" },
  "members-names-denied": { answers: as(f.reader, { ...names.answers, session_status: () => ({ state: "signed_in", ...f.reader, may: f.may({ revoke_member_app: false, search_members: null }) }) }), steps: toMembers, ends: "names-denied" },
  "members-ten-thousand": { answers: signedIn(large()), steps: async (h) => { await toMembers(h); const list = document.querySelector("[data-test=rows]"); if (list) list.scrollTop = 250_000; await h.rest(400); }, ends: "screen-members" },
  "members-hostile": { answers: signedIn({ ...hostile.answers }), steps: toMembers, ends: "screen-members" },
  "members-hostile-detail": { answers: signedIn({ ...hostile.answers, member_connected_apps: () => ({ member: f.hostileMembers[3]?.face ?? f.person(0), grants: f.hostile.map((app) => ({ app, scopes: ["<u>scope</u>", "s".repeat(3000)] })), unreadable: [], read_at: f.at(-2) }) }), steps: async (h) => { await toMembers(h); await h.click("row", 3); await h.find("revoke"); }, ends: "detail-member" },

  // ---- the map
  "map": { answers: signedIn(), steps: toMap, ends: "map" },
  "map-large": { answers: signedIn(large()), steps: toMap, ends: "map" },
  "map-near": { answers: signedIn(large()), steps: async (h) => { await toMap(h); for (let n = 0; n < 7; n += 1) { await h.click("map-in"); await h.rest(30); } await h.rest(400); }, ends: "map" },
  "map-cell": { answers: signedIn(), steps: async (h) => { await toMap(h); await h.key("map", "ArrowRight"); await h.key("map", "ArrowDown"); await h.key("map", "ArrowRight"); await h.rest(200); }, ends: "map-told" },
  "map-filtered": { answers: signedIn(), steps: async (h) => { await toMap(h); await h.type("filter", "write"); await h.rest(400); }, ends: "map" },
  "map-empty": { answers: signedIn({ ...empty.answers }), steps: (h) => h.click("nav-map"), ends: "empty" },
  "map-nothing-matches": { answers: signedIn(), steps: async (h) => { await toMap(h); await h.type("filter", "no such thing"); }, ends: "clear-filter" },
  "map-table": { answers: signedIn(large()), steps: async (h) => { await toMap(h); await h.click("map-as-table", 0, true); await h.find("row"); }, ends: "row" },
  "map-table-hostile": { answers: signedIn({ ...hostile.answers }), steps: async (h) => { await toMap(h); await h.click("map-as-table", 0, true); await h.find("row"); }, ends: "row" },
  "map-hostile": { answers: signedIn({ ...hostile.answers }), steps: toMap, ends: "map" },
  "map-refused": { answers: signedIn({ inventory_map: () => refuse(f.refusals.journal_unforeseen) }), steps: (h) => h.click("nav-map"), ends: "refused" },

  // ---- the palette, the history, the rules
  "palette": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("palette-open"); await h.find("found"); }, ends: "palette" },
  "palette-found": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("palette-open"); await h.type("palette", "a"); await h.rest(200); }, ends: "found" },
  "palette-hostile": { answers: signedIn({ ...hostile.answers }), steps: async (h) => { await h.find("row"); await h.click("palette-open"); await h.type("palette", "a"); await h.rest(200); }, ends: "found" },
  "palette-nothing": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("palette-open"); await h.type("palette", "zzzz"); await h.rest(200); }, ends: "palette" },
  "history": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("history"); await h.find("kind"); await h.rest(100); }, ends: "history-from" },
  "history-not-compared": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("history"); await h.find("kind"); await h.choose("history-from", "5"); }, ends: "not-compared" },
  "history-exported": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("history"); await h.find("kind"); await h.choose("history-from", "5"); await h.click("history-export"); await h.click("export-csv"); }, ends: "exported" },
  "history-one": { answers: signedIn({ ...inventory(few, { snapshots: 1 }).answers }), steps: async (h) => { await h.find("row"); await h.click("history"); }, ends: "dialog" },
  "history-same": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("history"); await h.find("kind"); await h.choose("history-from", "9"); await h.rest(150); }, ends: "dialog" },
  "history-hostile": { answers: signedIn({ ...hostile.answers }), steps: async (h) => { await h.find("row"); await h.click("history"); await h.find("kind"); }, ends: "history-from" },
  "history-refused": { answers: signedIn({ snapshot_list: () => refuse(f.refusals.journal_unforeseen) }), steps: async (h) => { await h.find("row"); await h.click("history"); }, ends: "refused" },
  "width-rules": { answers: signedIn(), steps: async (h) => { await h.find("row"); await h.click("palette-open"); await h.type("palette", "width"); await h.rest(150); await h.click("found"); await h.find("rule"); }, ends: "rules-save" },
  "width-rules-refused": { answers: signedIn({ width_rules_set: () => refuse({ kind: "bad_input", field: "width_rules", fault: "empty" }) }), steps: async (h) => { await h.find("row"); await h.click("palette-open"); await h.type("palette", "width"); await h.rest(150); await h.click("found"); await h.find("rule"); await h.click("rule-add"); await h.click("rules-save"); }, ends: "wrong-width_rules" },

  "reader-detail": { answers: as(f.reader), steps: async (h) => { await toMembers(h); await h.click("row"); await h.find("why-not"); }, ends: "denied-reason" },
  "reader-why": { answers: as(f.reader, { revoke_plan: () => ({ ...f.plan, denied: { ...f.denial, asked: false, request_id: null } }) }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.click("why-not"); }, ends: "ask-anyway" },
  "reader-ask-anyway": { answers: as(f.reader, { revoke_plan: () => ({ ...f.plan, denied: { ...f.denial, asked: false, request_id: null } }) }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.click("why-not"); await h.click("ask-anyway"); }, ends: "confirm" },
  "reader-policy-again": { answers: as(f.reader, { revoke_plan: () => ({ ...f.plan, denied: { ...f.denial, asked: false, request_id: null } }) }), steps: async (h) => { await toMembers(h); await h.click("row"); await h.click("why-not"); await h.click("policy-again"); await h.rest(100); }, ends: "dialog" },
  "plain-member": { answers: as(f.plain, { ...names.answers, member_connected_apps: () => ({ member: { ...f.person(13), yourself: true }, grants: f.apps.slice(0, 3).map((app, n) => ({ app, scopes: f.scopes(n) })), unreadable: [], read_at: f.at(-2) }) }), steps: (h) => h.find("revoke"), ends: "refused" },
  "plain-member-ids": { answers: as(f.plain, { ...names.answers, member_connected_apps: () => ({ member: { ...f.person(13), yourself: true }, grants: f.apps.slice(0, 3).map((app, n) => ({ app, scopes: f.scopes(n) })), unreadable: [], read_at: f.at(-2) }) }), steps: async (h) => { await h.find("revoke"); await h.press("Escape"); await h.click("show-ids"); await h.find("row"); }, ends: "names-denied" },
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
  "activity-one-of-many": { answers: signedIn({ revoke_list: () => [f.report("unknown", { answered_at: null, unsettled: true, request_id: null, alone: false }), f.report("revoked", { alone: false, member: { ...f.report("revoked").member, member_id: "member-test-other" } })] }), steps: async (h) => { await h.click("nav-activity"); await h.click("row"); }, ends: "copy-record" },
  "activity-open": { answers: signedIn({ revoke_list: () => [f.report("unknown", { answered_at: null, unsettled: true, request_id: null, problem: f.problem({ cause: "reset" }) }), f.report("revoked", { gone_at: f.at(-300), confirm_due_at: f.at(300), began_at: f.at(-302) })] }), steps: async (h) => { await h.click("nav-activity"); await h.click("row"); }, ends: "settle" },

  // ---- plans
  "plan-app": { answers: signedIn(), steps: toPlan, ends: "plan-typed" },
  "plan-typed": { answers: signedIn(), steps: async (h) => { await toPlan(h); await h.type("plan-typed", "137 Acme Robotics"); }, ends: "confirm" },
  "plan-large": { answers: signedIn(sweeping.planning({ grants: 10_412, members: 9_998, apps: 84, to_type: "10412 Acme Robotics", first_party_left_out: 231, own: 3, privileged: 214, full_access: 38, may_reconnect: 10_000, estimate_ms: 1_310_000, lost: 2 })), steps: async (h) => { await toPlan(h); await h.click("plan-part-members", 0, true); await h.rest(60); }, ends: "plan-typed" },
  "plan-apps": { answers: signedIn(), steps: async (h) => { await toPlan(h); await h.click("plan-part-apps", 0, true); await h.rest(60); }, ends: "plan-typed" },
  "plan-member": { answers: signedIn(sweeping.planning({ grants: 4, members: 1, apps: 4, to_type: "4 Acme Robotics", privileged: 4, may_reconnect: 4 })), steps: async (h) => { await toMember(h); await h.click("revoke-all"); await h.find("plan-typed"); await h.rest(60); }, ends: "plan-typed" },
  "plan-selection": { answers: signedIn(sweeping.planning({ grants: 54, members: 41, apps: 3, to_type: "54 Acme Robotics" })), steps: async (h) => { await h.click("row-check"); await h.click("row-check", 1); await h.find("selection-count"); await h.rest(200); await h.click("selection-revoke"); await h.find("plan-typed"); await h.rest(60); }, ends: "plan-typed" },
  "plan-hostile": { answers: signedIn(sweeping.planning({ organization_name: "O\u202Erganization\u0000 " + "O".repeat(300), to_type: `137 O${"O".repeat(300)}`, reason: "<b>x</b>" }, { hostile: true })), steps: toPlan, ends: "plan-typed" },
  "plan-denied": { answers: as(f.reader, sweeping.planning({ denied: f.denial })), steps: toPlan, ends: "plan-typed" },
  "plan-denied-told": { answers: as(f.reader, sweeping.planning({ denied: f.denial })), steps: async (h) => { await toPlan(h); await h.click("plan-denied"); }, ends: "copy-request" },
  "plan-partial": { answers: signedIn({ ...lacking.answers, ...sweeping.planning({ missing: lacking.facts.missing, estimate_ms: null }) }), steps: toPlan, ends: "plan-typed" },
  "plan-opened": { answers: signedIn({ plan_open: () => sweeping.plan({ reason: "SEC-2207", opened: { file: "cutoff-acme-robotics-plan-20261123T091402Z.json", author: f.person(3), created_at: f.at(-4000), vanished: 2, appeared: 1, beside: 4, unfinished: null, carried_out: null, policy_changed: false, policy_unread: false } }) }), steps: async (h) => { await openedPlan(h); await h.click("plan-part-appeared", 0, true); await h.rest(60); }, ends: "plan-typed" },
  "plan-opened-carried-out": { answers: signedIn({ plan_open: () => sweeping.plan({ opened: { file: "plan.json", author: f.person(0), created_at: f.at(-4000), vanished: 137, appeared: 0, beside: 0, unfinished: null, carried_out: "s1", policy_changed: false, policy_unread: false } }) }), steps: openedPlan, ends: "plan-carried_out" },
  "plan-opened-policy": { answers: signedIn({ plan_open: () => containing.blockPlan({ policy_changed: true }) }), steps: openedPlan, ends: "plan-typed" },
  "plan-opened-unfinished": { answers: signedIn({ plan_open: () => sweeping.plan({ opened: { file: "plan.json", author: f.person(0), created_at: f.at(-4000), vanished: 0, appeared: 0, beside: 0, unfinished: "s1", carried_out: null, policy_changed: false, policy_unread: false } }) }), steps: openedPlan, ends: "plan-unfinished" },
  "plan-saved": { answers: signedIn(), steps: async (h) => { await toPlan(h); await h.click("plan-save"); await h.find("plan-saved"); }, ends: "plan-saved" },
  "plan-first-party": { answers: signedIn({ plan_make: ({ first_party }) => (first_party ? sweeping.plan({ grants: 23, members: 23, first_party: 23, to_type: "23 Acme Robotics" }) : refuse({ kind: "plan", fault: "grants" })) }), steps: async (h) => { await toApp(h); await h.click("revoke-all"); await h.find("take-in"); }, ends: "take-in" },
  "plan-first-party-taken": { answers: signedIn({ plan_make: ({ first_party }) => (first_party ? sweeping.plan({ grants: 23, members: 23, first_party: 23, to_type: "23 Acme Robotics" }) : refuse({ kind: "plan", fault: "grants" })) }), steps: async (h) => { await toApp(h); await h.click("revoke-all"); await h.click("take-in"); await h.find("plan-typed"); }, ends: "plan-typed" },
  "plan-wrong": { answers: signedIn(), steps: async (h) => { await toPlan(h); await h.type("plan-typed", "137 Acme"); await h.key("plan-typed", "Enter"); await h.rest(30); }, ends: "wrong-typed" },
  "plan-busy": { answers: signedIn({ sweep_start: () => refuse({ kind: "sweep_running", sweep_id: "s1" }) }), steps: async (h) => { await toPlan(h); await h.type("plan-typed", "137 Acme Robotics"); await h.click("confirm"); }, ends: "show-sweep" },

  // ---- sweeps
  "sweep-running": { answers: signedIn(sweeping.running()), steps: toSweep, ends: "sweep-pause" },
  "sweep-limited": { answers: signedIn(sweeping.running({ limited_until: f.at(41), quota: 100, left_ms: 118_000, per_minute: 97 })), steps: toSweep, ends: "sweep-pause" },
  "sweep-offline": { answers: signedIn(sweeping.running({ offline_until: f.at(12), per_minute: 0, left_ms: null })), steps: toSweep, ends: "sweep-pause" },
  "sweep-between-reads": { answers: signedIn(sweeping.running({ answered: 137, to_send: 0, per_minute: 0, left_ms: null })), steps: toSweep, ends: "sweep-pause" },
  "sweep-reading": { answers: signedIn(sweeping.running({ answered: 137, to_send: 0, reading: true, left_ms: null })), steps: toSweep, ends: "sweep-pause" },
  "sweep-stopping": { answers: signedIn(sweeping.running({ stopping: true })), steps: toSweep, ends: "sweep-acts" },
  "sweep-paused": { answers: signedIn(sweeping.resting({ state: "paused" })), steps: toSweep, ends: "sweep-resume" },
  "sweep-interrupted": { answers: signedIn(sweeping.resting({ state: "interrupted" })), steps: toSweep, ends: "sweep-resume" },
  "sweep-session-ended": { answers: signedIn(sweeping.resting({ state: "session_ended" }, { resume: "other_member" })), steps: toSweep, ends: "sweep-retry" },
  "sweep-session-dies": { answers: signedIn(sweeping.dying()), steps: async (h) => { await toSweep(h); window.dispatchEvent(new Event("focus")); await h.find("sign-in-again"); }, ends: "sign-in-again" },
  "sweep-nobody": { answers: signedIn({ ...stored.answers, ...sweeping.resting({ state: "paused" }, { here: false, resume: "elsewhere", by: { member_id: f.session.member_id, name: null, email: null, yourself: false } }), session_status: () => ({ state: "signed_out", ended: null, kept: null, keeping: "keyring" }) }), steps: async (h) => { await h.find("row"); await toSweep(h); }, ends: "sweep-now" },
  "sweep-too-old": { answers: signedIn(sweeping.resting({ state: "interrupted" }, { resume: "too_old" })), steps: toSweep, ends: "sweep-retry" },
  "sweep-none-gone": { answers: signedIn(contained({ outcomes: [{ outcome: "accepted", grants: 137 }], gone_at: null })), steps: toSweep, ends: "sweep-lift" },
  "sweep-halted-roles": { answers: signedIn(sweeping.resting({ state: "halted", error_type: "session_authorization_error" })), steps: toSweep, ends: "sweep-denied" },
  "sweep-halted": { answers: signedIn(sweeping.resting({ state: "halted", error_type: "bundle_id_not_registered" })), steps: toSweep, ends: "sweep-resume" },
  "sweep-canary": { answers: signedIn(sweeping.resting({ state: "canary_died", failed: 2, of: 6 }, { outcomes: [{ outcome: "revoked", grants: 4 }, { outcome: "failed", grants: 2 }], unsent: 131 })), steps: toSweep, ends: "sweep-resume" },
  "sweep-elsewhere": { answers: signedIn(sweeping.resting({ state: "elsewhere", pid: 4711 }, { resume: "not_now" })), steps: toSweep, ends: "sweep-now" },
  "sweep-cancelled": { answers: signedIn(sweeping.resting({ state: "cancelled" }, { resume: "not_now" })), steps: toSweep, ends: "sweep-retry" },
  "sweep-done": { answers: signedIn(sweeping.done()), steps: toSweep, ends: "sweep-now" },
  "sweep-confirmed": { answers: signedIn(sweeping.done({ confirmed_at: f.at(-20), look_again_at: null })), steps: toSweep, ends: "sweep-now" },
  "sweep-partial": { answers: signedIn(sweeping.done({ outcomes: [{ outcome: "revoked", grants: 120 }, { outcome: "already_gone", grants: 6 }, { outcome: "still_there", grants: 3 }, { outcome: "accepted", grants: 2 }, { outcome: "denied", grants: 4 }, { outcome: "failed", grants: 2 }], gone_at: null })), steps: toSweep, ends: "sweep-retry" },
  "sweep-filtered": { answers: signedIn(sweeping.resting({ state: "paused" })), steps: async (h) => { await toSweep(h); await h.click("sweep-kind"); await h.type("sweep-filter", "nobody at all"); await h.find("sweep-show-all"); }, ends: "sweep-show-all" },
  "sweep-hostile": { answers: signedIn(sweeping.done({ app: f.hostile[3] ?? f.dataSync, reason: "‮reversed <img src=x>" + "r".repeat(400) }, { hostile: true })), steps: toSweep, ends: "sweep-now" },
  "sweep-cancel": { answers: signedIn(sweeping.running()), steps: async (h) => { await toSweep(h); await h.click("sweep-cancel"); }, ends: "go" },
  "sweep-one": { answers: signedIn(sweeping.done()), steps: async (h) => { await toSweep(h); await h.click("row"); }, ends: "copy-record" },
  "activity-sweeps": { answers: signedIn({ ...sweeping.several(), revoke_list: () => [f.report("revoked", { gone_at: f.at(-300), confirm_due_at: f.at(300), began_at: f.at(-302) })] }), steps: async (h) => { await h.click("nav-activity"); await h.find("row"); }, ends: "screen-activity" },
  "sweep-listed-again": { answers: signedIn({ ...sweeping.done({ listed_again: 3 }), ...containing.cameBack([containing.comeBack(0), containing.comeBack(1), containing.comeBack(2)]) }), steps: toSweep, ends: "sweep-now" },
  "sweep-one-listed-again": { answers: signedIn(sweeping.done({ listed_again: 1 })), steps: async (h) => { await toSweep(h); await h.click("row"); }, ends: "copy-record" },
  "activity-blocks": { answers: signedIn({ sweep_list: () => [{ in_force: true }, { in_force: false, denied: true, can_consent_again: true }, { in_force: false, lifted: true }].map((given, n) => sweeping.sweep({ sweep_id: `s${n}`, began_at: f.at(-900 * (n + 1)), stand: { state: "done" }, outcomes: [{ outcome: "revoked", grants: 137 }], unsent: 0, unsettled: false, gone_at: f.at(-800), policy: containing.blocked(given) })) }), steps: async (h) => { await h.click("nav-activity"); await h.find("row"); }, ends: "screen-activity" },
  "sweep-beside": { answers: signedIn({ ...sweeping.done({ beside: 2, policy: containing.blocked() }), ...containing.pairs(2) }), steps: async (h) => { await toSweep(h); await h.click("sweep-beside"); await h.find("pairs"); }, ends: "pairs" },
  "activity-listed-again": { answers: signedIn({ ...sweeping.done({ listed_again: 137 }), revoke_list: () => [f.report("revoked", { gone_at: f.at(-300), confirm_due_at: f.at(300), began_at: f.at(-302), listed_again_at: f.at(-20) })] }), steps: async (h) => { await h.click("nav-activity"); await h.find("row"); }, ends: "screen-activity" },
  "frame-sweep-interrupted": { answers: signedIn(sweeping.resting({ state: "interrupted" })), steps: (h) => h.find("banner-sweep-open"), ends: "sweep-open-resume" },
  "frame-sweep-running": { answers: signedIn(sweeping.running()), steps: (h) => h.find("row"), ends: "screen-apps" },
  "frame-closing": { answers: signedIn({ ...sweeping.running(), window_notices: ({ notices }) => { setTimeout(() => /** @type {any} */ (notices).onmessage("closing"), 60); return null; } }), steps: (h) => h.find("go"), ends: "go" },

  // ---- containment
  "contain": { answers: signedIn(), steps: toContain, ends: "contain-typed" },
  "contain-one-name-asked": { answers: signedIn(containing.containing({}, { undecided: 1, twins: 1, asked: 1 })), steps: toContain, ends: "contain-typed" },
  "contain-one-name": { answers: signedIn(containing.containing({ grants: 1, members: 1 }, { twins: 2 })), steps: toContain, ends: "contain-typed" },
  // The plan comes late: what is typed is there before it.
  "contain-slow": { answers: signedIn({ contain_make: async (given) => { await new Promise((done) => setTimeout(done, 2_500)); return containing.containing().contain_make?.(given) ?? never(); } }), steps: toContain, ends: "contain-typed" },
  "contain-decisions": { answers: signedIn(containing.containing({}, { undecided: 4 })), steps: toContain, ends: "contain-decide" },
  "contain-decided": { answers: signedIn(containing.containing({}, { undecided: 4 })), steps: async (h) => { await toContain(h); await h.click("decide-block", 0, true); await h.click("contain-keep-rest"); await h.rest(120); await h.click("contain-part-blocked", 0, true); await h.rest(80); }, ends: "contain-typed" },
  "contain-left-out": { answers: signedIn(containing.containing({}, { undecided: 4 })), steps: async (h) => { await toContain(h); await h.click("decide-block", 0, true); const off = document.querySelectorAll('[data-test="decide-leave_out"]'); /** @type {HTMLElement} */ (off[1])?.click(); await h.click("contain-keep-rest"); await h.rest(200); }, ends: "contain-typed" },
  "contain-large": { answers: signedIn(containing.containing({ grants: 9_480, members: 9_480, first_party_left_out: 1, privileged: 40 }, { kept: 1_180, undecided: 260 })), steps: toContain, ends: "contain-decide" },
  "contain-grants": { answers: signedIn(), steps: async (h) => { await toContain(h); await h.click("contain-part-planned", 0, true); await h.rest(80); await h.type("contain-typed", "158 Acme Robotics"); }, ends: "contain-typed" },
  "contain-restricted": { answers: signedIn(containing.containing(containing.restricted())), steps: async (h) => { await toContain(h); await h.click("contain-part-kept", 0, true); await h.rest(80); }, ends: "contain-typed" },
  "contain-unchanged": { answers: signedIn(containing.containing({ unchanged: true, before: containing.restricted().before ?? [], after: containing.restricted().before ?? [], closes: [] })), steps: toContain, ends: "contain-typed" },
  "contain-denied": { answers: signedIn(containing.containing({ block_denied: containing.blockDenial })), steps: toContain, ends: "contain-without" },
  "contain-denied-unknown": { answers: signedIn(containing.containing({ block_denied: { ...containing.blockDenial, action: null, resource: null } })), steps: toContain, ends: "contain-without" },
  "contain-denied-told": { answers: signedIn(containing.containing({ block_denied: containing.blockDenial })), steps: async (h) => { await toContain(h); await h.click("contain-block_denied"); }, ends: "copy-request" },
  "contain-reader": { answers: as(f.reader, containing.containing({ block_denied: containing.blockDenial, denied: f.denial })), steps: toContain, ends: "contain-without" },
  "contain-hostile": { answers: signedIn({ ...hostile.answers, ...containing.containing({ organization_name: "O\u202Erganization\u0000 " + "O".repeat(300) }, { hostile: true, undecided: 8, kept: 12 }) }), steps: async (h) => { await h.click("row", 3); await h.find("detail-app"); await h.click("contain"); await h.find("contain-decide"); await h.rest(100); }, ends: "contain-decide" },
  "contain-partial": { answers: signedIn({ ...lacking.answers, ...containing.containing({ missing: lacking.facts.missing }) }), steps: toContain, ends: "contain-typed" },
  "contain-incomplete": { answers: signedIn({ contain_look: () => refuse({ kind: "block", fault: "incomplete_list", app_ids: [] }) }), steps: async (h) => { await toApp(h); await h.click("contain"); await h.find("read-look"); }, ends: "read-look" },
  "contain-first-party": { answers: signedIn(containing.containing({ apps: 0, grants: 0, members: 0, first_party_left_out: 1 })), steps: async (h) => { await toApp(h); await h.click("contain"); await h.find("take-in"); }, ends: "take-in" },
  "contain-none": { answers: signedIn({ contain_look: () => refuse({ kind: "block", fault: "already_forbidden", app_ids: [] }) }), steps: async (h) => { await toApp(h); await h.click("contain"); await h.find("close"); }, ends: "close" },
  "contain-none-first-party": { answers: signedIn({ contain_look: () => refuse({ kind: "block", fault: "already_forbidden", app_ids: ["connected-app-live-00000001-acme"] }) }), steps: async (h) => { await toApp(h); await h.click("contain"); await h.find("take-in"); }, ends: "take-in" },
  "contain-none-unread": { answers: signedIn({ contain_look: () => refuse({ kind: "block", fault: "already_forbidden_unread", app_ids: ["connected-app-live-00000007-evil"] }) }), steps: async (h) => { await toApp(h); await h.click("contain"); await h.find("look-again"); }, ends: "look-again" },
  "contain-unlisted": { answers: signedIn(containing.unlisted()), steps: async (h) => { await byPalette("connected-app-live-00000007-evil")(h); await h.find("contain-typed"); }, ends: "contain-typed" },
  "contain-unlisted-both": { answers: signedIn(containing.unlisted({ kind: null })), steps: async (h) => { await toContain(h); await h.click("contain-part-planned", 0, true); await h.rest(80); }, ends: "contain-typed" },
  "contain-unlisted-known": { answers: signedIn(containing.unlisted({ app: f.dataSync, known_at: f.at(-90_000), kind_told: true })), steps: toContain, ends: "contain-typed" },
  "contain-policy-changed": { answers: signedIn({ contain_make: () => refuse({ kind: "policy_changed", differs: containing.differs }) }), steps: async (h) => { await toApp(h); await h.click("contain"); await h.find("look-again"); }, ends: "look-again" },
  "contain-looking": { answers: signedIn({ contain_look: never }), steps: async (h) => { await toApp(h); await h.click("contain"); await h.rest(250); }, ends: "cancel" },
  "plan-opened-block": { answers: signedIn({ plan_open: containing.blockPlan }), steps: openedPlan, ends: "plan-typed" },

  "plan-opened-block-denied": { answers: signedIn({ plan_open: () => { const made = containing.blockPlan(); return { ...made, block: made.block && { ...made.block, block_denied: containing.blockDenial } }; } }), steps: openedPlan, ends: "plan-typed" },
  "plan-opened-block-alone": { answers: signedIn({ plan_open: () => ({ ...containing.blockPlan(), grants: 0, members: 0, apps: 0, to_type: "0 Acme Robotics" }) }), steps: openedPlan, ends: "plan-typed" },

  // ---- a sweep that blocks
  "sweep-contain-running": { answers: signedIn({ ...sweeping.running(), sweep_list: () => [sweeping.sweep({ policy: containing.blocked() })] }), steps: toSweep, ends: "sweep-pause" },
  "sweep-contain-begun": { answers: signedIn({ ...sweeping.running({ answered: 0, to_send: 137, per_minute: 0, left_ms: null }), sweep_list: () => [sweeping.sweep({ outcomes: [], unsent: 137, policy: containing.blocked({ in_force: false, at: null, request_id: null, liftable: false, can_consent_again: true }) })] }), steps: toSweep, ends: "sweep-pause" },
  "sweep-contain-answered": { answers: signedIn({ ...sweeping.running({ answered: 137, to_send: 0, reading: true, left_ms: null }), sweep_list: () => [sweeping.sweep({ outcomes: [{ outcome: "accepted", grants: 137 }], unsent: 0, policy: containing.blocked() })] }), steps: toSweep, ends: "sweep-pause" },
  "sweep-contained": { answers: signedIn(contained({ collateral: 3, unseen: 1 })), steps: toSweep, ends: "sweep-lift" },
  "sweep-contained-hidden": { answers: signedIn(contained({ outcomes: [{ outcome: "revoked", grants: 20 }, { outcome: "accepted", grants: 114 }, { outcome: "hidden", grants: 3 }], gone_at: null })), steps: toSweep, ends: "sweep-lift" },
  "sweep-block-denied": { answers: signedIn(contained({ policy: containing.blocked({ in_force: false, denied: true, can_consent_again: true, liftable: false }) })), steps: toSweep, ends: "sweep-export" },
  "sweep-block-lost": { answers: signedIn(contained({ policy: containing.blocked({ in_force: false, can_consent_again: true }) })), steps: toSweep, ends: "sweep-lift" },
  "sweep-block-unread": { answers: signedIn(contained({ policy: containing.blocked({ in_force: false, unread: true }) })), steps: toSweep, ends: "sweep-lift" },
  "sweep-overtaken": { answers: signedIn(sweeping.resting({ state: "cancelled" }, { outcomes: [], unsent: 137, look_again_at: null, policy: containing.blocked({ in_force: false, overtaken: true, at: null, request_id: null, liftable: false, can_consent_again: true }), refused: { kind: "policy_changed", differs: containing.differs } })), steps: toSweep, ends: "contain-again" },
  "sweep-blocked-alone": { answers: signedIn(contained({ grants: 0, members: 0, apps: 0, unsent: 0, outcomes: [], gone_at: null, tokens_until: null, look_again_at: null, collateral: 0 })), steps: toSweep, ends: "sweep-lift" },
  "sweep-lifted": { answers: signedIn(contained({ policy: containing.blocked({ in_force: false, lifted: true, can_consent_again: true, liftable: false }), returned: 3 })), steps: toSweep, ends: "sweep-returned" },
  "sweep-blocked-by-others": { answers: signedIn(contained({ policy: containing.blocked({ theirs: true, lifted: true, liftable: false }) })), steps: toSweep, ends: "sweep-export" },
  "sweep-collateral": { answers: signedIn(contained({ collateral: 3 })), steps: async (h) => { await toSweep(h); await h.click("sweep-collateral"); }, ends: "pairs" },
  "lift": { answers: signedIn(contained()), steps: toLift, ends: "lift-go" },
  "lift-several": { answers: signedIn(contained({ app: null, apps: 2, grants: 169, members: 168, outcomes: [{ outcome: "revoked", grants: 169 }], policy: containing.blocked({ apps: 3 }) })), steps: toLift, ends: "lift-go" },
  "lift-changed-several": { answers: signedIn({ ...contained({ app: null, apps: 2, policy: containing.blocked({ apps: 2 }) }), lift_look: () => containing.lifting({ ...containing.liftingChanged(), changes: [{ kind: "third_party", word_from: null, word_to: null, added: [{ ...f.dataSync, name: "", description: "" }], added_total: 1, removed: [], removed_total: 0 }] }) }), steps: toLift, ends: "lift-go" },
  "lift-changed": { answers: signedIn({ ...contained(), lift_look: containing.liftingChanged }), steps: toLift, ends: "lift-go" },
  "lift-nothing": { answers: signedIn({ ...contained(), lift_look: () => containing.lifting({ way: "nothing", now: containing.lifting().before, changes: [] }) }), steps: toLift, ends: "lift-go" },
  "lift-denied": { answers: signedIn({ ...contained(), lift_look: () => containing.lifting({ block_denied: containing.blockDenial }) }), steps: toLift, ends: "lift-denied" },
  "lift-running": { answers: signedIn({ ...contained(), lift: never }), steps: async (h) => { await toLift(h); await h.click("lift-go"); await h.rest(60); }, ends: "dialog" },
  "lift-done": { answers: signedIn(contained()), steps: async (h) => { await toLift(h); await h.click("lift-go"); await h.find("close"); }, ends: "close" },
  "lift-returned": { answers: signedIn({ ...contained(), lift: () => containing.lifted(3) }), steps: async (h) => { await toLift(h); await h.click("lift-go"); await h.find("revoke-returned"); }, ends: "block-again" },
  "lift-not": { answers: signedIn({ ...contained(), lift: () => containing.lifted(0, { not_lifted: true }) }), steps: async (h) => { await toLift(h); await h.click("lift-go"); await h.find("look-again"); }, ends: "look-again" },
  "lift-policy-changed": { answers: signedIn({ ...contained(), lift: () => refuse({ kind: "policy_changed", differs: containing.differs }) }), steps: async (h) => { await toLift(h); await h.click("lift-go"); await h.find("look-again"); }, ends: "look-again" },

  // ---- evidence
  "evidence-exported": { answers: signedIn(contained()), steps: async (h) => { await toSweep(h); await h.click("sweep-export"); await h.find("close"); }, ends: "close" },
  "evidence-exported-open": { answers: signedIn(sweeping.resting({ state: "paused" })), steps: async (h) => { await toSweep(h); await h.click("sweep-export"); await h.find("close"); }, ends: "close" },
  "evidence-check": { answers: signedIn(), steps: byPalette("check a pack"), ends: "check-head" },
  "evidence-check-wrong": { answers: signedIn(), steps: async (h) => { await byPalette("check a pack")(h); await h.type("check-head", "not a head"); await h.click("choose-pack"); }, ends: "wrong-head" },
  ...Object.fromEntries(Object.entries({
    unchanged: containing.good(),
    rows: containing.good({ since: "rows", rows_vouched: 420, erased: 2, absent: ["report.html"] }),
    consistent: containing.good({ since: "nothing", rows_vouched: 0, closed: false }),
    finding: containing.good({ since: "nothing", rows_vouched: 0, grants: 0, finding: true, complete: true, outcomes: [], rows: 12 }),
    row: containing.broken({ fault: "row", seq: 17, why: "its hash does not fit the row before" }),
    file: containing.broken({ fault: "file", name: "grants.csv", why: "its SHA-256 is not the one of the manifest" }),
    form: containing.broken({ fault: "form", what: "the archive" }),
    other_head: containing.broken({ fault: "other_head", head: "a".repeat(64), chain_head: "b".repeat(64) }),
    newer: containing.broken({ fault: "newer" }),
    too_large: containing.broken({ fault: "too_large" }),
  }).map(([name, verdict]) => [`evidence-verdict-${name}`, { answers: signedIn({ evidence_check: () => ({ file: "cutoff-evidence-acme-robotics.zip", verdict }) }), steps: async (/** @type {Hands} */ h) => { await byPalette("check a pack")(h); await h.type("check-head", name === "consistent" || name === "finding" ? "" : containing.HEAD); await h.click("choose-pack"); await h.find("close"); }, ends: "check-another" }])),
  "evidence-rolled-back": { answers: signedIn({ journal_status: () => ({ rolled_back: { noted_at: f.at(-4000), rows: 1_204, head: containing.HEAD } }) }), steps: (h) => h.find("banner-rolled-back"), ends: "rolled-back-details" },
  "evidence-rolled-back-told": { answers: signedIn({ journal_status: () => ({ rolled_back: { noted_at: f.at(-4000), rows: 1_204, head: containing.HEAD } }) }), steps: (h) => h.click("rolled-back-details"), ends: "close" },
  "erase": { answers: signedIn(), steps: async (h) => { await toMember(h); await h.click("erase"); }, ends: "go" },
  "erased": { answers: signedIn(), steps: async (h) => { await toMember(h); await h.click("erase"); await h.click("go"); await h.find("close"); }, ends: "close" },
  "erased-named": { answers: signedIn({ erase_person: () => ({ texts: 4, reasons: ["4d0f7f5e-1f4a-4d4e-9d7a-6f2a7f1c9b11"], plans: ["7a1c5b1e-0b0f-4f7e-8b8e-2f8b1d6a9c22"] }) }), steps: async (h) => { await toMember(h); await h.click("erase"); await h.click("go"); await h.find("close"); }, ends: "close" },

  // ---- come-backs
  "come-back-banner": { answers: signedIn(containing.cameBack([containing.comeBack(0)])), steps: (h) => h.find("banner-come-back"), ends: "come-back-block" },
  "come-back-told": { answers: signedIn({ ...containing.dismissible(3), window_notices: ({ notices }) => { setTimeout(() => /** @type {any} */ (notices).onmessage({ come_backs: { ids: ["come-back-0", "come-back-1", "come-back-2"] } }), 60); return null; } }), steps: (h) => h.find("banner-come-back"), ends: "come-back-dismiss" },
  "come-back-undone": { answers: signedIn({ window_notices: ({ notices }) => { setTimeout(() => /** @type {any} */ (notices).onmessage({ block_undone: { sweep_id: "s1", connected_app_ids: ["connected-app-test-7fb4d598-4c1e-4b7a-9d2f-000000001000"] } }), 60); return null; } }), steps: (h) => h.find("banner-undone"), ends: "undone-block" },
  "come-back-several": { answers: signedIn(containing.cameBack([containing.comeBack(0), containing.comeBack(1), containing.comeBack(2, true)])), steps: (h) => h.find("banner-come-back"), ends: "come-back-block" },
  "come-back-look-alike": { answers: signedIn(containing.cameBack([containing.comeBack(2, true)], { watching: false, problem: { kind: "offline", ...f.problem({ cause: "dns" }) } })), steps: (h) => h.find("banner-come-back"), ends: "come-back-block" },
  "come-back-list": { answers: signedIn(containing.cameBack([...Array.from({ length: 900 }, (_, n) => containing.comeBack(n, n % 7 === 3))])), steps: async (h) => { await h.find("banner-come-back"); await h.click("come-back-look"); await h.find("row"); await h.rest(80); }, ends: "come-back-again" },
  "come-back-hostile": { answers: signedIn(containing.cameBack(Array.from({ length: 12 }, (_, n) => containing.comeBack(n, n % 2 === 1, true)))), steps: async (h) => { await h.find("banner-come-back"); await h.click("come-back-look"); await h.rest(80); }, ends: "come-back-again" },

  // ---- indicators
  "indicators-found": { answers: signedIn(), steps: byPalette("check indicators"), ends: "indicators-contain" },
  "indicators-all": { answers: signedIn(), steps: async (h) => { await byPalette("check indicators")(h); await h.click("finding-all", 0, true); await h.click("indicators-alike"); await h.rest(80); }, ends: "indicators-contain" },
  "indicators-none": { answers: signedIn(containing.found(containing.finding({ found_gone: 12, found: 0, by_look_only: 0, apps: 0, grants: 0, apps_with_look_alikes: 0, grants_with_look_alikes: 0 }))), steps: byPalette("check indicators"), ends: "indicators-export" },
  "indicators-block": { answers: signedIn(containing.found(containing.finding({ found: 0, by_look_only: 0, apps: 0, grants: 0, apps_with_look_alikes: 0, grants_with_look_alikes: 0, ids_not_found: ["connected-app-live-00000000-evil", "connected-app-live-00000001-evil"], ids_not_found_total: 340 }))), steps: byPalette("check indicators"), ends: "indicators-block" },
  "indicators-partial": { answers: signedIn(containing.found(containing.finding({ found: 0, indicators: 100_000, apps: 0, grants: 0, apps_with_look_alikes: 0, grants_with_look_alikes: 0, apps_read: 36, complete: false, missing: lacking.facts.missing }), { hostile: true })), steps: byPalette("check indicators"), ends: "indicators-export" },
  "indicators-unlisted": { answers: signedIn(containing.found(containing.finding({ found: 0, indicators: 240, apps: 0, grants: 0, by_look_only: 0, apps_with_look_alikes: 0, grants_with_look_alikes: 0, complete: false, asked: 200, unknown: 3, unasked: 12, names_may_hide: true, not_understood: ["see the vendor's page, table 2 >>", "b", "c"], not_understood_total: 3 }))), steps: byPalette("check indicators"), ends: "indicators-export" },
  "indicators-refused": { answers: signedIn({ indicators_check: () => refuse({ kind: "chosen_file", fault: "no_column", line: 7, entry: null }) }), steps: byPalette("check indicators"), ends: "retry" },
  "indicators-exported": { answers: signedIn(), steps: async (h) => { await byPalette("check indicators")(h); await h.click("indicators-export"); await h.find("close"); }, ends: "close" },

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
