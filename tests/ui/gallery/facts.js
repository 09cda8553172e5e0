// Made-up facts for the gallery: people, apps, grants, reports, refusals. Typed by the page's own contract, so that a change
// of the contract fails here first.

/** @typedef {import("../../../ui/contract.js").AppFace} AppFace */
/** @typedef {import("../../../ui/contract.js").MemberFace} MemberFace */
/** A member as search tells of them. @typedef {Pick<import("../../../ui/contract.js").MemberInventoryRow, "face" | "status" | "roles">} MemberRow */
/** @typedef {import("../../../ui/contract.js").Session} Session */
/** @typedef {import("../../../ui/contract.js").Connection} Connection */
/** @typedef {import("../../../ui/contract.js").RevokeReport} RevokeReport */
/** @typedef {import("../../../ui/contract.js").RevokePlan} RevokePlan */
/** @typedef {import("../../../ui/contract.js").Problem} Problem */
/** @typedef {import("../../../ui/contract.js").Denial} Denial */
/** @typedef {import("../../../ui/contract.js").Refusal} Refusal */
/** @typedef {import("../../../ui/contract.js").Permissions} Permissions */
/** @typedef {import("../../../ui/contract.js").Outcome} Outcome */

const NOW = Date.now();
/** A time so many seconds from now. @param {number} seconds */
export const at = (seconds) => new Date(NOW + seconds * 1000).toISOString();

/** @param {number} n */
const uuid = (n) => `${(0x7f3c0000 + n * 7919).toString(16)}-4c1e-4b7a-9d2f-${String(n).padStart(12, "0")}`;

const FIRST = ["Ada", "Bo", "Chidi", "Dana", "Emeka", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kaveh", "Lena", "Mika", "Nora", "Omar", "Priya", "Quinn", "Rosa", "Sven", "Tuva"];
const LAST = ["Moreau", "Lindqvist", "Okafor", "Petrov", "Nwosu", "Haddad", "Kovač", "Sato", "Duarte", "Meyer", "Rahimi", "Fischer", "Virtanen", "Berg", "Aziz", "Raman", "Adler", "Conti", "Holm", "Strand"];

/** @param {number} n @returns {MemberFace} */
export function person(n) {
  const first = FIRST[n % FIRST.length] ?? "Ada";
  const last = LAST[(n * 7 + Math.floor(n / 20)) % LAST.length] ?? "Moreau";
  const ascii = `${first}.${last}`.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return { member_id: `member-test-${uuid(n)}`, name: `${first} ${last}`, email: `${ascii}${n >= 20 ? n : ""}@acme.test`, yourself: n === 13 };
}

/** @param {number} n @returns {MemberRow} */
export function memberRow(n) {
  const roles = n === 13 ? ["stytch_member", "stytch_admin"] : n % 9 === 0 ? ["stytch_member", "app_reader"] : ["stytch_member"];
  return { face: person(n), status: n % 31 === 30 ? "invited" : n % 47 === 46 ? "pending" : "active", roles };
}

/** @param {number} n @param {string} name @param {string} description @param {string} type @returns {AppFace} */
const app = (n, name, description, type) => ({ connected_app_id: `connected-app-test-${uuid(1000 + n)}`, name, description, client_type: type, first_party: type.startsWith("first") });

export const dataSync = app(0, "DataSync", "Copies contacts to your warehouse", "third_party");
export const cli = app(2, "Acme CLI", "The command line of Acme's own product", "first_party_public");

/** @type {AppFace[]} */
export const apps = [
  dataSync,
  app(1, "Claude", "Reads and drafts for you", "third_party_public"),
  app(11, "Cl\u0430ude", "Reads and drafts for you", "third_party_public"),
  cli,
  app(3, "Quarterly Deck Builder", "Slides from your numbers", "third_party"),
  app(4, "نظام التقارير", "تقارير الفريق كل أسبوع", "third_party"),
  app(5, "Inbox Zero Agent", "", "third_party_public"),
  app(6, "Ledgerline", "Books every invoice where it belongs, and says which it could not place", "third_party"),
  app(7, "Meeting Notes", "Writes down who promised what", "third_party_public"),
  app(8, "Acme Mobile", "The vendor's own app for phones", "first_party"),
  app(9, "Postbox Relay", "Forwards what you choose", "third_party"),
  app(10, "Standup Bot", "Asks three questions each morning", "some_later_type"),
];

const LONG = "Very Long Name ".repeat(700).slice(0, 10_000);

/** Names and descriptions as an attacker would choose them. @type {AppFace[]} */
export const hostile = [
  app(20, "<img src=x onerror=\"window.pwned=1\">", "<script>window.pwned=1</script><b>bold?</b>", "third_party_public"),
  app(21, "Safe\u202Egnp.exe\u202C App", "\u2067right-to-left isolate\u2069 and \u202Aembedding\u202C", "third_party"),
  app(22, "Data\u200BSync\u200D\uFEFF", "zero\u200Bwidth\u200Cjoined\u2060up", "third_party"),
  app(23, LONG, `A description of ten thousand characters. ${"word ".repeat(2000)}`.slice(0, 10_000), "third_party"),
  app(24, "W".repeat(10_000), "No space anywhere in the name", "third_party_public"),
  app(25, "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031e\u0320\u034dalgo", "marks piled up", "third_party"),
  app(26, "line one\nline two\ttabbed\u0000nul\u001b[31mred", "controls", "third_party"),
  app(27, "=HYPERLINK(\"http://evil.test\",\"click\")", "javascript:alert(1)", "third_party"),
  app(28, "   ", "", "third_party"),
  app(29, "\u{1F469}\u200D\u{1F4BB} Family \u2764\uFE0F app", "An emoji is left whole", "third_party_public"),
  app(30, "\uD800 lone surrogate", "{{constructor.constructor('window.pwned=1')()}}", "third_party"),
  app(31, "\u3164\u115F", "only fillers in the name", "third_party"),
];

/** @type {MemberRow[]} */
export const hostileMembers = hostile.map((face, n) => ({
  face: { member_id: n % 2 ? `../member/${n} %2f?x=<b>` : `member-test-${"x".repeat(300)}`, name: face.name, email: `${"a".repeat(n * 20)}<svg onload=window.pwned=1>@acme.test`, yourself: false },
  status: n % 3 ? "active" : "a status of tomorrow with a long name",
  roles: ["stytch_member", "<i>role</i>", "r".repeat(200)],
}));

/** @type {string[][]} */
const SCOPES = [["contacts.read", "contacts.write", "offline_access"], ["openid", "profile", "email"], ["reports.read"], ["openid", "full_access"], ["contacts.read"], []];
/** @param {number} n */
export const scopes = (n) => SCOPES[n % SCOPES.length] ?? [];

/** @type {Connection} */
export const connection = {
  id: "0d9d3ab6-53a0-4bb9-8d2a-1b1f4a1f0a01",
  name: "Acme Product",
  base_url: "https://test.stytch.com",
  public_token: "public-token-test-11111111-2222-4333-8444-555555555555",
  environment: "test",
  stytch_host: true,
  app_identifier: "dev.cutoff.desktop",
  organization_slug: null,
  email: "nora@acme.test",
};
/** @type {Connection} */
export const live = { ...connection, id: "0d9d3ab6-53a0-4bb9-8d2a-1b1f4a1f0a02", name: "Northwind Portal", base_url: "https://login.northwind.example", environment: "live", stytch_host: false, organization_slug: "acme-robotics", email: null };
/** @type {Connection} */
export const sandbox = { ...connection, id: "0d9d3ab6-53a0-4bb9-8d2a-1b1f4a1f0a03", name: "Sandbox", base_url: "http://127.0.0.1:41873", environment: "sandbox", stytch_host: false, email: null };

const HOLDERS = ["stytch_admin", "security_responder"];
/** @param {string} action @param {string} resource @param {boolean | null} allowed @param {string[]} holders */
const allowance = (action, resource, allowed, holders) => ({ allowed, action, resource, roles_that_hold_it: holders });

/** @param {Partial<Record<keyof Permissions, boolean | null>>} given @returns {Permissions} */
export const may = (given = {}) => ({
  search_members: allowance("search", "stytch.member", given.search_members ?? true, [...HOLDERS, "app_reader"]),
  read_member_apps: allowance("get.connected-apps", "stytch.member", given.read_member_apps ?? true, [...HOLDERS, "app_reader"]),
  revoke_member_app: allowance("revoke.connected-app", "stytch.member", given.revoke_member_app ?? true, HOLDERS),
  read_own_apps: allowance("get.connected-apps", "stytch.self", given.read_own_apps ?? true, ["stytch_member"]),
  revoke_own_app: allowance("revoke.connected-app", "stytch.self", given.revoke_own_app ?? true, ["stytch_member"]),
});

const me = person(13);
/** @type {Session} */
export const session = {
  connection,
  organization_name: "Acme Robotics",
  organization_id: `organization-test-${uuid(1)}`,
  member_id: me.member_id,
  member_name: me.name ?? "",
  member_email: "nora@acme.test",
  roles: ["stytch_member", "stytch_admin"],
  expires_at: at(47 * 60 + 30),
  impersonator: null,
  keeping: "keyring",
  policy_read_at: at(-80),
  may: may(),
};
/** @type {Session} */
export const reader = { ...session, roles: ["stytch_member", "app_reader"], may: may({ revoke_member_app: false }) };
/** @type {Session} */
export const plain = { ...session, roles: ["stytch_member"], may: may({ search_members: false, read_member_apps: false, revoke_member_app: false }) };

/** @param {Partial<Problem>} [given] @returns {Problem} */
export const problem = (given = {}) => ({ status: null, error_type: null, request_id: null, message: null, cause: null, ...given });
export const REQUEST = "request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141";

/** @type {Denial} */
export const denial = {
  action: "revoke.connected-app",
  resource: "stytch.member",
  your_roles: ["stytch_member", "app_reader"],
  roles_that_hold_it: HOLDERS,
  policy_read_at: at(-80),
  request_id: REQUEST,
  asked: true,
};

/** @type {RevokePlan} */
export const plan = {
  plan_hash: "9f2c",
  member: person(0),
  app: dataSync,
  scopes: ["contacts.read", "contacts.write", "offline_access"],
  organization_name: "Acme Robotics",
  environment: "test",
  may_reconnect: true,
  full_access: false,
  denied: null,
};

/** @param {Outcome} outcome @param {Partial<RevokeReport>} [given] @returns {RevokeReport} */
export const report = (outcome, given = {}) => ({
  sweep_id: `sweep-${outcome}-${JSON.stringify(given).length}`,
  began_at: at(-14),
  outcome,
  member: person(0),
  app: dataSync,
  scopes: ["contacts.read", "contacts.write", "offline_access"],
  organization_name: "Acme Robotics",
  environment: "test",
  here: true,
  left_behind: false,
  alone: true,
  request_id: REQUEST,
  attempts: 1,
  sent_at: at(-13),
  answered_at: at(-13),
  read_at: at(-12),
  gone_at: null,
  listed_again_at: null,
  confirm_due_at: null,
  confirmed_at: null,
  tokens_until: at(3588),
  may_reconnect: true,
  full_access: false,
  why: null,
  denial: null,
  problem: null,
  unsettled: false,
  head: "5b1f".repeat(16),
  ...given,
});

/** Every outcome, with the facts that belong to it. @type {Record<string, RevokeReport>} */
export const outcomes = {
  revoked: report("revoked", { gone_at: at(-12), confirm_due_at: at(590) }),
  revoked_full_access: report("revoked", { gone_at: at(-12), confirm_due_at: at(590), full_access: true, may_reconnect: false, app: cli }),
  revoked_confirmed: report("revoked", { began_at: at(-760), gone_at: at(-752), confirm_due_at: at(-150), confirmed_at: at(-140), may_reconnect: null }),
  revoked_tokens_over: report("revoked", { began_at: at(-4000), gone_at: at(-3990), confirm_due_at: at(-3390), confirmed_at: at(-3380), tokens_until: at(-400) }),
  accepted_no_read: report("accepted", { why: "no_read_allowed", read_at: null }),
  accepted_hidden: report("accepted", { why: "hidden_by_policy", may_reconnect: false }),
  accepted_read_failed: report("accepted", { why: "read_failed", unsettled: true, problem: problem({ status: 502, message: "Bad gateway", request_id: REQUEST }) }),
  accepted_incomplete: report("accepted", { why: "read_incomplete" }),
  accepted_session: report("accepted", { why: "session_ended", read_at: null, unsettled: true }),
  accepted_listed_yet: report("accepted", { why: "listed_yet", unsettled: true, tokens_until: null }),
  still_there: report("still_there", { attempts: 1 }),
  already_gone: report("already_gone", { attempts: 0, sent_at: null, answered_at: null, request_id: null, tokens_until: null }),
  already_gone_404: report("already_gone", { attempts: 1, gone_at: at(-12) }),
  hidden: report("hidden", { answered_at: null, may_reconnect: false, problem: problem({ cause: "reset" }) }),
  member_gone: report("member_gone", { problem: problem({ status: 404, error_type: "member_not_found" }) }),
  denied: report("denied", { denial, read_at: null, tokens_until: null }),
  denied_advance: report("denied", { denial: { ...denial, asked: false, request_id: null }, attempts: 0, sent_at: null, answered_at: null, request_id: null }),
  failed: report("failed", { problem: problem({ status: 400, error_type: "invalid_id", message: "The id is not of the right format.", request_id: REQUEST }), tokens_until: null }),
  failed_not_sent: report("failed", { attempts: 1, answered_at: null, request_id: null, read_at: null, tokens_until: null, problem: problem({ cause: "not_sent" }) }),
  unknown_interrupted: report("unknown", { answered_at: null, request_id: null, read_at: null, unsettled: true, tokens_until: null, problem: problem({ cause: "interrupted" }) }),
  unknown_garbled: report("unknown", { answered_at: null, request_id: null, unsettled: true, problem: problem({ cause: "garbled", status: 200 }) }),
  unknown_redirected: report("unknown", { answered_at: null, request_id: null, unsettled: true, problem: problem({ cause: "redirected", status: 302 }) }),
  unknown_cause: report("unknown", { answered_at: null, request_id: null, unsettled: true, problem: problem({ cause: "unknown" }) }),
  denied_no_policy: report("denied", { denial: { ...denial, policy_read_at: null, roles_that_hold_it: [] }, tokens_until: null }),
  denied_no_holder: report("denied", { denial: { ...denial, roles_that_hold_it: [] }, tokens_until: null }),
  elsewhere: report("unknown", { answered_at: null, request_id: null, unsettled: true, here: false, organization_name: "Northwind Traders", environment: "live", may_reconnect: null }),
  elsewhere_denied: report("denied", { denial, here: false, organization_name: "Northwind Traders", environment: "live", tokens_until: null, may_reconnect: null }),
  revoked_hostile: report("revoked", { gone_at: at(-12), confirm_due_at: at(590), app: hostile[6] ?? dataSync, member: hostileMembers[3]?.face ?? person(0), organization_name: "O".repeat(400), scopes: ["s".repeat(3000)] }),
  unknown: report("unknown", { answered_at: null, request_id: null, attempts: 2, read_at: null, unsettled: true, problem: problem({ cause: "timed_out", message: "no bytes for 30 s" }) }),
};

/** Every refusal, with the facts that belong to it. @type {Record<string, Refusal>} */
export const refusals = {
  signed_out: { kind: "signed_out", request_id: REQUEST, resume_as: null },
  not_allowed: { kind: "not_allowed", ...denial },
  not_allowed_advance: { kind: "not_allowed", ...denial, asked: false, request_id: null },
  not_allowed_undocumented: { kind: "not_allowed", ...denial, action: null, resource: null, roles_that_hold_it: [], policy_read_at: null },
  rate_limited: { kind: "rate_limited", until: at(42), problem: problem({ status: 429, error_type: "too_many_requests", request_id: REQUEST }) },
  rate_limited_unsaid: { kind: "rate_limited", until: null, problem: problem({ status: 429, error_type: "too_many_requests" }) },
  bundle_id_not_registered: { kind: "bundle_id_not_registered", identifier: "dev.cutoff.desktop", problem: problem({ status: 400, error_type: "bad_app_bundle_for_stytch_sdk", request_id: REQUEST }) },
  sdk_endpoint_off: { kind: "sdk_endpoint_off", method: "organization.members.revokeConnectedApp", problem: problem({ status: 401, error_type: "endpoint_not_authorized_for_sdk", request_id: REQUEST }) },
  captcha_required: { kind: "captcha_required", ...problem({ status: 403, error_type: "captcha_required", message: "Captcha required", request_id: REQUEST }) },
  cookies_only: { kind: "cookies_only", ...problem({ status: 401, error_type: "cname_required_for_http_only_cookies", request_id: REQUEST }) },
  organization_refused: { kind: "organization_refused", ...problem({ status: 403, error_type: "organization_suspended", request_id: REQUEST }) },
  member_gone: { kind: "member_gone", ...problem({ status: 404, error_type: "member_not_found", request_id: REQUEST }) },
  app_gone: { kind: "app_gone", ...problem({ status: 404, error_type: "connected_app_not_found", request_id: REQUEST }) },
  offline: { kind: "offline", ...problem({ cause: "dns", message: "failed to look up address information" }) },
  offline_tls: { kind: "offline", ...problem({ cause: "tls", message: "invalid peer certificate: UnknownIssuer" }) },
  garbled: { kind: "garbled", ...problem({ status: 200, message: "<!doctype html><title>Welcome to Hotel Wi-Fi</title><form action=/login>" }) },
  redirected: { kind: "redirected", to_host: "wifi.hotel.example", problem: problem({ status: 302 }) },
  server_error: { kind: "server_error", ...problem({ status: 500, error_type: "internal_server_error", message: "Oops, something seems to have gone wrong, please try again.", request_id: REQUEST }) },
  refused: { kind: "refused", ...problem({ status: 400, error_type: "some_error_of_tomorrow", message: "A reason that nobody has written about yet.", request_id: REQUEST }) },
  journal_full: { kind: "journal", fault: "full", sent: false },
  journal_sent: { kind: "journal", fault: "full", sent: true },
  journal_denied: { kind: "journal", fault: "denied", sent: false },
  journal_unforeseen: { kind: "journal", fault: "a_fault_of_tomorrow", sent: false },
  keyring: { kind: "keyring", keeping: "memory_locked" },
  plan_changed: { kind: "plan_changed" },
  policy_changed: { kind: "policy_changed", differs: [{ kind: "third_party", word_from: "ALL_ALLOWED", word_to: "a word of tomorrow", added: [dataSync], added_total: 1, removed: [], removed_total: 0 }] },
  block_undecided: { kind: "block", fault: "undecided", app_ids: [dataSync.connected_app_id] },
  block_unforeseen: { kind: "block", fault: "a_fault_of_tomorrow", app_ids: [] },
  chosen_file: { kind: "chosen_file", fault: "quotes", line: 12, entry: null },
  journal_rolled_back: { kind: "journal", fault: "rolled_back", sent: false },
  busy: { kind: "busy", pid: 4711 },
  busy_here: { kind: "busy", pid: null },
  out_of_order: { kind: "out_of_order" },
  no_organization: { kind: "no_organization" },
  code_rejected: { kind: "code_rejected", ...problem({ status: 401, error_type: "otp_code_not_found", request_id: REQUEST }) },
  bad_input: { kind: "bad_input", field: "connected_app_id", fault: "dots" },
  unknown_host: { kind: "unknown_host", base_url: "https://login.northwind.example" },
  not_signed_out_at_server: { kind: "not_signed_out_at_server", ...problem({ cause: "timed_out" }) },
};
