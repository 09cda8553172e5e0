// Containments, liftings, evidence, come-backs and indicators as the shell would answer them, for the gallery.

import * as f from "./facts.js";
import { plan, sweep } from "./sweeping.js";

/** @typedef {import("../../../ui/contract.js").ContainLook} ContainLook */
/** @typedef {import("../../../ui/contract.js").ContainRow} ContainRow */
/** @typedef {import("../../../ui/contract.js").ContainFate} ContainFate */
/** @typedef {import("../../../ui/contract.js").PolicyPart} PolicyPart */
/** @typedef {import("../../../ui/contract.js").LiftLook} LiftLook */
/** @typedef {import("../../../ui/contract.js").ComeBack} ComeBack */
/** @typedef {import("../../../ui/contract.js").Watch} Watch */
/** @typedef {import("../../../ui/contract.js").EvidenceFacts} EvidenceFacts */
/** @typedef {import("../../../ui/contract.js").EvidenceVerdict} EvidenceVerdict */
/** @typedef {import("../../../ui/contract.js").Finding} Finding */
/** @typedef {import("../../../ui/contract.js").FindingRow} FindingRow */
/** @typedef {import("../../../ui/contract.js").FacePair} FacePair */
/** @typedef {import("../../../ui/contract.js").SweepPolicy} SweepPolicy */
/** @typedef {import("./scenes.js").Answers} Answers */

const HEAD = "c41f7be0".repeat(8);
const CHAIN = "9f2c".padEnd(64, "a");

/** @param {string} third @param {number} listed @returns {PolicyPart[]} */
const policy = (third, listed = 0) => [{ kind: "first_party", word: "ALL_ALLOWED", listed: 0 }, { kind: "third_party", word: third, listed }];
const OPEN = policy("ALL_ALLOWED");

/** What changing the organization's settings lacks. @type {import("../../../ui/contract.js").Denial} */
export const blockDenial = { ...f.denial, action: "update.settings.allowed-connected-apps", resource: "stytch.organization", request_id: null, asked: false };

/** Apps that have another name than the one that is contained. */
const others = f.apps.filter((app) => app.name !== f.dataSync.name);
/** @param {number} n @param {ContainFate} fate @param {boolean} hostile @returns {ContainRow} */
const row = (n, fate, hostile) => ({
  app: (hostile ? f.hostile[n % f.hostile.length] : { ...(others[n % others.length] ?? f.dataSync), connected_app_id: `connected-app-test-${String(n).padStart(8, "0")}-4c1e-4b7a-9d2f-0000${String(1000 + n)}` }) ?? f.dataSync,
  fate,
  odd: fate === "undecided" && n % 2 === 0,
  new: fate === "undecided" && n % 4 === 1,
  like: fate === "undecided" && n === 2,
  unlisted: fate === "undecided" && n % 4 === 3,
  known_at: fate === "undecided" && n % 4 === 3 ? f.at(-90_000) : null,
  grants: fate === "blocked" ? 158 : (n * 7) % 61,
});

/**
 * A containment and what belongs to it.
 * @param {Partial<ContainLook>} [given]
 * @param {{ undecided?: number, kept?: number, hostile?: boolean, grants?: number, twins?: number, asked?: number }} [how] `twins`: so many that stay have the same name, `asked`: and so many to be decided upon
 * @returns {Answers}
 */
export function containing(given = {}, how = {}) {
  const { undecided = 0, kept = 39, hostile = false, twins = 0, asked = 0 } = how;
  /** @type {ContainRow[]} */
  const all = [row(0, "blocked", hostile), ...Array.from({ length: undecided }, (_, n) => row(n + 1, "undecided", hostile)), ...Array.from({ length: kept }, (_, n) => row(n + 1 + undecided, "kept", hostile))];
  all[0] = { ...row(0, "blocked", hostile), app: hostile ? (f.hostile[3] ?? f.dataSync) : f.dataSync };
  for (let n = 0; n < twins + asked; n += 1) {
    const one = all[1 + undecided - asked + n];
    if (one) Object.assign(one, { app: { ...f.dataSync, connected_app_id: one.app.connected_app_id }, like: one.fate === "undecided" });
  }
  const first = all.find((one) => one.fate === "kept");
  if (first && given.closes?.length === 0) Object.assign(first, { app: { ...first.app, name: "" }, unlisted: true, grants: 0 });
  // The inventory flags it by its id: so it says why.
  const flagged = f.apps[2];
  if (!hostile && flagged && undecided > 1) all[2] = { ...row(2, "undecided", false), app: flagged };
  /** @type {ContainLook} */
  const look = {
    look: "look-1",
    organization_name: "Acme Robotics",
    environment: "test",
    before: OPEN,
    after: policy("RESTRICTED", kept + undecided),
    unchanged: false,
    closes: ["third_party"],
    fates: [{ fate: "blocked", apps: 1 }, { fate: "kept", apps: kept }, { fate: "undecided", apps: undecided }],
    apps: 1,
    grants: 158,
    members: 158,
    unlisted: [],
    first_party_left_out: 0,
    own: 1,
    privileged: 4,
    missing: [],
    read_at: f.at(-70),
    denied: null,
    block_denied: null,
    ...given,
  };
  return {
    contain_look: ({ first_party }) => (first_party ? { ...look, first_party_left_out: 0 } : look),
    contain_rows: ({ query }) => {
      const fates = query.fates ?? [];
      const text = (query.text ?? "").toLowerCase();
      const found = all.filter((one) => (fates.length === 0 || fates.includes(one.fate)) && one.app.name.toLowerCase().includes(text));
      return { rows: found.slice(query.offset, query.offset + query.count), matching: found.length, total: all.length };
    },
    contain_make: ({ decisions, reason }) => {
      const more = decisions.filter((one) => one.choice === "block");
      const grants = look.grants + more.reduce((sum, one) => sum + (all.find((app) => app.app.connected_app_id === one.connected_app_id)?.grants ?? 0), 0);
      return plan({
        hash: `${4 + more.length}be1c7d0a9`.padEnd(64, "3"), grants, members: Math.min(grants, 158), apps: 1 + more.length, privileged: look.privileged, to_type: grants === 0 ? look.organization_name : `${grants} ${look.organization_name}`, organization_name: look.organization_name, reason, denied: look.denied, own: look.own,
        block: { apps: [f.dataSync], apps_total: 1 + more.length, kept: decisions.filter((one) => one.choice === "keep").length, left_out: decisions.filter((one) => one.choice === "leave_out").length, before: look.before, after: look.unchanged ? look.after : policy("RESTRICTED", kept + decisions.filter((one) => one.choice === "keep").length), unchanged: look.unchanged, block_denied: look.block_denied },
      });
    },
  };
}

/** A look at a list that was restricted before. @returns {Partial<ContainLook>} */
export const restricted = () => ({ before: policy("RESTRICTED", 40), after: policy("RESTRICTED", 39), closes: [], fates: [{ fate: "blocked", apps: 1 }, { fate: "kept", apps: 39 }, { fate: "forbidden", apps: 3 }] });

/** An id of an advisory that no list names, and nobody has granted anything to. @param {Partial<import("../../../ui/contract.js").ContainUnlisted>} [how] */
export const unlisted = (how = {}) => ({
  ...containing({
    grants: 0, members: 0, own: 0, privileged: 0,
    unlisted: [{ app: { ...f.dataSync, name: "", connected_app_id: "connected-app-live-00000007-evil" }, known_at: null, kind: "third_party", kind_told: false, ...how }],
  }),
  plan_grants: () => ({ rows: [], total: 0 }),
  plan_shares: () => ({ rows: [], total: 0 }),
});

/** A plan with a block, as a file brings it. */
export const blockPlan = (opened = {}) => plan({ grants: 158, members: 158, to_type: "158 Acme Robotics", reason: "SEC-2207", block: { apps: [f.dataSync], apps_total: 1, kept: 2, left_out: 1, before: OPEN, after: policy("RESTRICTED", 39), unchanged: false, block_denied: null }, opened: { file: "cutoff-acme-robotics-plan-20261123T091402Z.json", author: f.person(3), created_at: f.at(-4000), vanished: 0, appeared: 0, beside: 0, unfinished: null, carried_out: null, policy_changed: false, policy_unread: false, ...opened } });

/** @param {Partial<SweepPolicy>} [given] @returns {SweepPolicy} */
export const blocked = (given = {}) => ({ in_force: true, theirs: false, denied: false, lifted: false, unread: false, can_consent_again: false, overtaken: false, liftable: true, apps: 1, request_id: f.REQUEST, at: f.at(-58), read_at: f.at(-40), before: OPEN, after: policy("RESTRICTED", 39), ...given });

/** @param {number} n @returns {FacePair} */
const pair = (n) => ({ member: f.person(n), app: f.dataSync });
/** @param {number} total @returns {Answers} */
export const pairs = (total) => ({ sweep_pairs: ({ offset, count }) => ({ rows: Array.from({ length: Math.max(0, Math.min(count, total - offset)) }, (_, n) => pair(offset + n)), total }) });

/** @type {import("../../../ui/contract.js").PolicyDifference[]} */
export const differs = [
  { kind: "third_party", word_from: null, word_to: null, added: [f.apps[4] ?? f.cli, f.apps[7] ?? f.cli], added_total: 2, removed: [f.apps[8] ?? f.cli], removed_total: 1 },
  { kind: "first_party", word_from: "ALL_ALLOWED", word_to: "NOT_ALLOWED", added: [], added_total: 0, removed: [], removed_total: 0 },
];

/** @param {Partial<LiftLook>} [given] @returns {LiftLook} */
export const lifting = (given = {}) => ({
  sweep_id: "s1",
  organization_name: "Acme Robotics",
  way: "exact",
  before: OPEN,
  after: policy("RESTRICTED", 39),
  now: policy("RESTRICTED", 39),
  to: OPEN,
  differs: [],
  changes: [{ kind: "third_party", word_from: "RESTRICTED", word_to: "ALL_ALLOWED", added: [], added_total: 0, removed: [], removed_total: 0 }],
  hidden: 0,
  not_attempted: 0,
  beside: [],
  accepted: 0,
  block_denied: null,
  ...given,
});
export const liftingChanged = () => lifting({ way: "changed", now: policy("RESTRICTED", 41), to: policy("RESTRICTED", 42), differs, changes: [{ kind: "third_party", word_from: null, word_to: null, added: [f.dataSync], added_total: 1, removed: [], removed_total: 0 }], hidden: 3, not_attempted: 2, accepted: 12 });

/** What a lifting came to. @param {number} returned @param {{ not_lifted?: boolean, nothing_to_lift?: boolean }} [how] @returns {import("../../../ui/contract.js").Lifted} */
export const lifted = (returned, how = {}) => ({ sweep: sweep({ stand: { state: "done" }, unsettled: false, outcomes: [{ outcome: "revoked", grants: 137 }], unsent: 0, gone_at: f.at(-600), returned, policy: blocked({ in_force: how.not_lifted === true, lifted: how.not_lifted !== true, can_consent_again: how.not_lifted !== true, liftable: how.not_lifted === true }) }), differs: [], not_lifted: false, nothing_to_lift: false, ...how });

/** @returns {import("../../../ui/contract.js").EvidencePack} */
export const pack = () => ({ file: "cutoff-acme-robotics-s1.cutoff", path: "~/Downloads/cutoff-evidence-acme-robotics-20261123T104207Z.zip", bytes: 81_204, head: HEAD, chain_head: CHAIN, rows: 431 });

/** @param {Partial<EvidenceFacts>} [given] @returns {EvidenceVerdict} */
export const good = (given = {}) => ({ verdict: "good", since: "pack", rows_vouched: 431, sweep_id: "4d0f7f5e-1f4a-4d4e-9d7a-6f2a7f1c9b11", head: HEAD, chain_head: CHAIN, rows: 431, grants: 158, finding: false, complete: null, outcomes: [{ outcome: "revoked", grants: 157 }, { outcome: "accepted", grants: 1 }], unsent: 0, closed: true, counts_compared: true, absent: [], erased: 0, ...given });
/** @param {import("../../../ui/contract.js").EvidenceBreak} why @returns {EvidenceVerdict} */
export const broken = (why) => ({ verdict: "broken", ...why });
export { HEAD };

/** @param {Partial<Watch>} [given] @returns {Watch} */
export const watch = (given = {}) => ({ watching: true, every_s: 300, looked_at: f.at(-70), next_at: f.at(230), problem: null, ...given });

/** @param {number} n @param {boolean} [alike] @param {boolean} [hostile] @returns {ComeBack} */
export const comeBack = (n, alike = false, hostile = false) => ({
  id: `come-back-${n}`,
  kind: alike ? "look_alike" : "seen_again",
  member: hostile ? (f.hostileMembers[n % f.hostileMembers.length]?.face ?? f.person(n)) : f.person(n),
  app: hostile ? (f.hostile[n % f.hostile.length] ?? f.dataSync) : alike ? (f.apps[2] ?? f.dataSync) : f.dataSync,
  lost_app: alike ? (f.apps[1] ?? f.dataSync) : f.dataSync,
  gone_at: f.at(-3000 + n),
  seen_at: f.at(-65),
  sweep_id: "s1",
});
/** @param {ComeBack[]} rows @param {Partial<Watch>} [given] @returns {Answers} */
export const cameBack = (rows, given = {}) => ({ come_back_list: ({ offset, count }) => ({ rows: rows.slice(offset, offset + count), total: rows.length, watch: watch(given) }) });

/** Some that can be dismissed. @param {number} many @returns {Answers} */
export function dismissible(many) {
  let rows = Array.from({ length: many }, (_, n) => comeBack(n));
  return {
    come_back_list: ({ offset, count }) => ({ rows: rows.slice(offset, offset + count), total: rows.length, watch: watch() }),
    come_back_dismiss: ({ id }) => { rows = rows.filter((one) => one.id !== id); return null; },
  };
}

/** @param {Partial<Finding>} [given] @returns {Finding} */
export const finding = (given = {}) => ({ finding: "finding-1", file: "advisory-2026-114.csv", indicators: 9, found: 3, by_look_only: 1, apps: 2, grants: 198, apps_with_look_alikes: 3, grants_with_look_alikes: 201, apps_listed: 40, apps_read: 40, complete: true, missing: [], ids_not_found: [], ids_not_found_total: 0, asked: 0, unknown: 0, unasked: 0, names_may_hide: false, not_understood: [], not_understood_total: 0, read_at: f.at(-70), found_gone: 0, ...given });
/** @type {FindingRow[]} */
const findings = [
  { text: f.dataSync.connected_app_id, kind: "id", by: "id", apps: [f.dataSync], apps_total: 1, look_alikes: [], look_alikes_total: 0, grants: 137 },
  { text: "Claude", kind: "name", by: "name", apps: [f.apps[1] ?? f.dataSync], apps_total: 7, look_alikes: [f.apps[2] ?? f.dataSync], look_alikes_total: 1, grants: 61 },
  { text: "Ledger1ine", kind: "any", by: "look_alike", apps: [f.apps[7] ?? f.dataSync], apps_total: 1, look_alikes: [], look_alikes_total: 0, grants: 3 },
];
/** @param {Finding} of @param {{ hostile?: boolean }} [how] @returns {Answers} */
export const found = (of, how = {}) => ({
  indicators_check: () => of,
  indicators_rows: ({ part, offset, count }) => {
    /** @param {number} n @returns {FindingRow} */
    const none = (n) => ({ text: how.hostile ? (f.hostile[n % f.hostile.length]?.name ?? "x").slice(0, 1000) : `connected-app-live-${String(n).padStart(8, "0")}-evil`, kind: "any", by: null, apps: [], apps_total: 0, look_alikes: [], look_alikes_total: 0, grants: 0 });
    const all = [...findings.slice(0, of.found), ...Array.from({ length: of.indicators - of.found }, (_, n) => none(n))];
    const rows = all.filter((one) => part === "all" || (part === "found") === (one.by !== null));
    return { rows: rows.slice(offset, offset + count), total: rows.length };
  },
});

/** What every scene answers. @returns {Answers} */
export const answers = () => ({
  ...containing(),
  lift_look: () => lifting(),
  lift: () => lifted(0),
  ...pairs(3),
  evidence_export: pack,
  evidence_check: ({ head }) => ({ file: "cutoff-evidence.zip", verdict: good(head === null ? { since: "nothing", rows_vouched: 0 } : {}) }),
  journal_status: () => ({ rolled_back: null }),
  erase_person: () => ({ texts: 4, reasons: [], plans: [] }),
  ...cameBack([]),
  come_back_dismiss: () => null,
  ...found(finding()),
  indicators_export: pack,
  window_notify: () => true,
});
