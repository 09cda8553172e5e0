// Plans and sweeps as the shell would answer them, for the gallery.

import * as f from "./facts.js";

/** @typedef {import("../../../ui/contract.js").Plan} Plan */
/** @typedef {import("../../../ui/contract.js").Sweep} Sweep */
/** @typedef {import("../../../ui/contract.js").SweepProgress} SweepProgress */
/** @typedef {import("../../../ui/contract.js").SweepState} SweepState */
/** @typedef {import("../../../ui/contract.js").Outcome} Outcome */
/** @typedef {import("./scenes.js").Answers} Answers */

/** @returns {Promise<never>} */
const never = () => new Promise(() => {});

/** @param {Partial<Plan>} [given] @returns {Plan} */
export const plan = (given = {}) => ({
  hash: "4be1c7d0a9".padEnd(64, "3"),
  organization_name: "Acme Robotics",
  environment: "test",
  to_type: "137 Acme Robotics",
  grants: 137,
  apps: 1,
  members: 137,
  first_party: 0,
  first_party_left_out: 0,
  own: 1,
  privileged: 4,
  full_access: 0,
  may_reconnect: 137,
  lost: 0,
  missing: [],
  read_at: f.at(-70),
  estimate_ms: 8_400,
  expires_at: f.at(86_000),
  reason: null,
  denied: null,
  block: null,
  opened: null,
  ...given,
});

/** @param {number} n @param {boolean} hostile @returns {import("../../../ui/contract.js").GrantRow} */
const grantRow = (n, hostile) => ({
  member: hostile ? f.hostileMembers[n % f.hostileMembers.length]?.face ?? f.person(n) : f.person(n),
  app: hostile ? f.hostile[n % f.hostile.length] ?? f.dataSync : f.dataSync,
  scopes: f.scopes(n),
  width: n % 3 === 0 ? { level: 3, rule: "wide", scope: f.scopes(n)[0] ?? "" } : { level: 1, rule: "narrow", scope: f.scopes(n)[0] ?? "" },
  first_seen: { after: null, by: f.at(-9000) },
  change: n % 11 === 4 ? "new" : null,
  scopes_before: null,
});

/** @template T @param {number} total @param {number} offset @param {number} count @param {(n: number) => T} make */
const window_ = (total, offset, count, make) => Array.from({ length: Math.max(0, Math.min(count, total - offset)) }, (_, n) => make(offset + n));

/** @param {Partial<Plan>} given @param {{ hostile?: boolean }} [how] @returns {Answers} */
export function planning(given, how = {}) {
  const made = plan(given);
  const hostile = how.hostile === true;
  return {
    plan_make: ({ first_party, reason }) => (first_party ? { ...made, first_party: made.first_party_left_out, first_party_left_out: 0, reason: made.reason ?? reason } : { ...made, reason: made.reason ?? reason }),
    plan_grants: ({ part, offset, count }) => {
      const total = part === "planned" ? made.grants : part === "vanished" ? 2 : 1;
      return { rows: window_(total, offset, count, (n) => grantRow(n, hostile)), total };
    },
    plan_shares: ({ noun, offset, count }) => {
      const total = noun === "apps" ? made.apps : made.members;
      return { rows: window_(total, offset, count, (n) => (noun === "apps" ? { app: hostile ? f.hostile[n % f.hostile.length] ?? f.dataSync : f.apps[n % f.apps.length] ?? f.dataSync, member: null, grants: Math.max(1, 137 - n * 9), of: Math.max(1, 137 - n * 9) + (n % 2) } : { app: null, member: hostile ? f.hostileMembers[n % f.hostileMembers.length]?.face ?? f.person(n) : f.person(n), grants: 1, of: 1 + (n % 5) })), total };
    },
  };
}

/** @param {Partial<Sweep>} [given] @returns {Sweep} */
export const sweep = (given = {}) => ({
  sweep_id: "s1",
  began_at: f.at(-64),
  last_at: f.at(-1),
  organization_name: "Acme Robotics",
  environment: "test",
  here: true,
  by: { member_id: f.session.member_id, name: f.session.member_name, email: f.session.member_email, yourself: true },
  reason: "SEC-2207",
  grants: 137,
  apps: 1,
  members: 137,
  app: f.dataSync,
  member: null,
  outcomes: [{ outcome: "revoked", grants: 80 }, { outcome: "unknown", grants: 2 }, { outcome: "failed", grants: 1 }],
  unsent: 54,
  answered: 79,
  stand: { state: "running" },
  unsettled: true,
  left_behind: false,
  resume: "not_now",
  gone_at: null,
  confirmed_at: null,
  look_again_at: f.at(560),
  tokens_until: f.at(3540),
  refused: null,
  policy: null,
  collateral: null,
  unseen: 0,
  returned: 0,
  beside: 0,
  listed_again: 0,
  head: "9f2c".padEnd(64, "a"),
  ...given,
});

/** @param {Sweep} of @param {{ hostile?: boolean }} [how] @returns {Answers} */
function looking(of, how = {}) {
  /** @type {Array<Outcome | "unsent">} */
  const kinds = of.outcomes.flatMap((one) => Array.from({ length: one.grants }, () => one.outcome));
  while (kinds.length < of.grants) kinds.push("unsent");
  return {
    sweep_list: () => [of],
    sweep_grants: ({ query }) => {
      const outcomes = /** @type {Array<Outcome | "unsent">} */ (query.outcomes ?? []);
      const wanted = kinds.map((kind, n) => ({ kind, n })).filter(({ kind }) => (outcomes.length === 0 && !query.unsent) || outcomes.includes(kind) || (kind === "unsent" && query.unsent)).filter(() => (query.text ?? "") === "");
      return {
        rows: wanted.slice(query.offset, query.offset + query.count).map(({ kind, n }) => {
          const row = grantRow(n, how.hostile === true);
          const sent = kind !== "unsent";
          return f.report(kind === "unsent" ? "unknown" : kind, { sweep_id: of.sweep_id, member: row.member, app: of.app ?? (n % 2 === 1 && of.apps > 1 ? f.apps[1] ?? row.app : row.app), scopes: row.scopes, alone: false, attempts: sent ? 1 : 0, request_id: kind !== "unknown" ? `request-id-test-${String(n).padStart(8, "0")}-ebdc-489d-a754-c7e70ba13141` : null, answered_at: kind === "unknown" || !sent ? null : f.at(-13), sent_at: sent ? f.at(-60 + n / 4) : null, gone_at: kind === "revoked" ? f.at(-9) : null, listed_again_at: n < of.listed_again ? f.at(-2) : null, confirm_due_at: kind === "revoked" ? f.at(560) : null });
        }),
        matching: wanted.length,
        total: of.grants,
      };
    },
  };
}

/** A sweep that goes on. @param {Partial<SweepProgress>} [given] @returns {Answers} */
export function running(given = {}) {
  const of = sweep();
  return {
    ...looking(of),
    sweep_watch: ({ progress }) => {
      /** @type {SweepProgress} */
      const so = { grants: 137, answered: 91, to_send: 46, limited_until: null, quota: null, offline_until: null, reading: false, per_minute: 840, left_ms: 3_300, stopping: false, ...given };
      setTimeout(() => /** @type {any} */ (progress).onmessage(so), 0);
      return never();
    },
  };
}

/** One that rests. @param {SweepState} stand @param {Partial<Sweep>} [given] @returns {Answers} */
export const resting = (stand, given = {}) => looking(sweep({ stand, resume: "yes", tokens_until: f.at(3540), ...given }));

/** One in the middle of which the session ends: by the second look nobody is signed in. @returns {Answers} */
export function dying() {
  let over = false;
  const of = () => sweep({ outcomes: [{ outcome: "revoked", grants: 5 }, { outcome: "accepted", grants: 78 }], ...(over ? { stand: { state: "session_ended" }, here: false, resume: "elsewhere", by: { member_id: f.session.member_id, name: null, email: null, yourself: false } } : {}) });
  /** @type {(rests: Sweep) => void} */
  let rests = () => {};
  let looks = 0;
  return {
    ...looking(of()),
    sweep_list: () => [of()],
    sweep_watch: () => new Promise((resolve) => { rests = resolve; }),
    session_status: () => {
      looks += 1;
      if (looks === 1) return { state: "signed_in", ...f.session };
      over = true;
      rests(of());
      return { state: "signed_out", ended: { at: f.at(-1), organization_name: "Acme Robotics", request_id: f.REQUEST }, kept: null, keeping: "keyring" };
    },
  };
}

/** One that is done. @param {Partial<Sweep>} [given] @param {{ hostile?: boolean }} [how] @returns {Answers} */
export const done = (given = {}, how = {}) => looking(sweep({ stand: { state: "done" }, unsettled: false, outcomes: [{ outcome: "revoked", grants: 137 }], unsent: 0, gone_at: f.at(-9), ...given }), how);

/** Some of each. @returns {Answers} */
export const several = () => ({
  sweep_list: () => [
    sweep({ sweep_id: "s1", stand: { state: "elsewhere", pid: 4711 } }),
    sweep({ sweep_id: "s2", began_at: f.at(-900), stand: { state: "paused" }, resume: "yes", app: null, apps: 84, members: 9_998, grants: 10_412, outcomes: [{ outcome: "revoked", grants: 4_020 }], unsent: 6_392 }),
    sweep({ sweep_id: "s3", began_at: f.at(-4_000), stand: { state: "done" }, app: null, member: f.person(5), apps: 4, members: 1, grants: 4, outcomes: [{ outcome: "revoked", grants: 4 }], unsent: 0, unsettled: false, gone_at: f.at(-3_990), confirmed_at: f.at(-3_300), look_again_at: null }),
    sweep({ sweep_id: "s4", began_at: f.at(-9_000), stand: { state: "done" }, grants: 61, members: 61, app: f.apps[1] ?? f.dataSync, outcomes: [{ outcome: "revoked", grants: 57 }, { outcome: "denied", grants: 4 }], unsent: 0, unsettled: false }),
  ],
});

/** What every scene answers. @returns {Answers} */
export const answers = () => ({
  ...planning({}),
  plan_open: () => null,
  plan_save: () => ({ path: "~/Downloads/cutoff-acme-robotics-plan-20261123T104207Z.json", rows: 137, bytes: 21_004, complete: true }),
  sweep_list: () => [],
  sweep_start: () => sweep({ outcomes: [], unsent: 137 }),
  sweep_watch: never,
  sweep_resume: () => sweep(),
  sweep_wish: () => null,
  sweep_retry: () => plan({ grants: 9, members: 9, to_type: "9 Acme Robotics" }),
  sweep_grants: looking(sweep()).sweep_grants ?? never,
  window_notices: () => null,
  window_close: () => null,
});
