// Every outcome of a revoke and every refusal of a command, as a telling. It judges nothing: the outcome comes from the
// shell, and which acts exist comes from the caller.

import { el, group, say } from "../lib/dom.js";
import { memberName, named, visible, whole } from "../lib/text.js";
import { clock, countdown, everySecond, span, time, until } from "../lib/time.js";
import { words } from "../words/en.js";
import { differences } from "./policy.js";
import { note } from "./telling.js";

/** @typedef {import("../contract.js").RevokeReport} RevokeReport */
/** @typedef {import("../contract.js").Denial} Denial */
/** @typedef {import("../contract.js").Problem} Problem */
/** @typedef {import("../contract.js").Session} Session */
/** @typedef {import("../contract.js").MemberFace} MemberFace */
/** @typedef {import("../contract.js").AppFace} AppFace */
/** @typedef {import("../bridge.js").AnyRefusal} AnyRefusal */
/** @typedef {import("./telling.js").Telling} Telling */
/** @typedef {import("./telling.js").Fact} Fact */
/** @typedef {import("./telling.js").Act} Act */
/** @typedef {import("../lib/dom.js").Piece} Piece */

/**
 * What surrounds a telling: who is signed in, what it is about, and what may be done next. An act that is left out is not shown.
 * @typedef {object} Around
 * @property {Session | null} session
 * @property {"read" | "revoke" | "sign_in" | "session"} act what was being done
 * @property {string} [host] the host that was asked
 * @property {{ member: MemberFace, app: AppFace }} [about]
 * @property {() => unknown} [close]
 * @property {(button: HTMLButtonElement) => unknown} [retry]
 * @property {() => unknown} [signIn]
 * @property {(button: HTMLButtonElement) => unknown} [readPolicy]
 * @property {() => unknown} [askAnyway]
 * @property {(button: HTMLButtonElement, sweepId: string) => unknown} [settle] reads again, and sends nothing
 * @property {(sweepId: string) => unknown} [sendAgain] asks for a confirmation first
 * @property {() => unknown} [revokeAgain]
 * @property {(button: HTMLButtonElement) => unknown} [signOutAnyway]
 * @property {(button: HTMLButtonElement) => unknown} [tryKeyring]
 * @property {() => unknown} [startOver]
 * @property {(sweepId: string) => unknown} [showSweep]
 * @property {import("../contract.js").Sweep | null} [stopped] the sweep that was under way
 * @property {() => unknown} [readAgain] reads the inventory, then looks again
 */

/** @param {MemberFace} member */
const bold = (member) => named(memberName(member), { strong: true, limit: 160, length: true });
/** @param {AppFace} app */
const boldApp = (app) => named(app.name, { strong: true, limit: 160, length: true });

/** @param {Around} around @param {string} [label] @returns {Act[]} */
const closing = (around, label) => (around.close ? [{ key: "close", label: label ?? words.close, style: "solid", run: around.close }] : []);

/**
 * A permission that roles lack, after the sentence that says so. Which one it is, is not always known.
 * @param {string} sentence
 * @param {Denial} denial
 * @returns {Piece[]}
 */
export function lacking(sentence, denial) {
  if (!denial.action) return [el("b", {}, `${sentence}.`)];
  return [el("b", {}, `${sentence}:`), " ", el("code", {}, `${visible(denial.action, 60)} ${words.on} ${visible(denial.resource ?? words.unknown_value, 60)}`)];
}

/** @param {string[]} roles */
const listed = (roles) => roles.join(", ") || words.none;

/**
 * The request id, or why there is none.
 * @param {string | null | undefined} id
 * @param {boolean} [answered] whether an answer came at all
 * @returns {Fact}
 */
function requestFact(id, answered = true) {
  return id
    ? { key: "request_id", label: words.facts.request, value: named(id, { limit: 120 }), copy: id }
    : { key: "request_id", label: words.facts.request, value: el("span", { class: "soft" }, answered ? words.facts.request_none : words.facts.request_unanswered) };
}

/**
 * What an answer said, or why none came.
 * @param {Problem | null} problem
 * @param {{ request?: boolean }} [how]
 * @returns {Fact[]}
 */
function problemFacts(problem, how = {}) {
  if (!problem) return [];
  /** @type {Fact[]} */
  const facts = [];
  if (problem.cause) {
    const causes = /** @type {Record<string, string>} */ (words.cause);
    facts.push({ key: "cause", label: words.facts.cause, value: causes[problem.cause] ?? words.cause.other });
  }
  const status = [problem.status === null ? null : String(problem.status), problem.error_type].filter((part) => part);
  if (status.length > 0) facts.push({ key: "status", label: words.facts.status, value: named(status.join(" "), { limit: 120 }) });
  if (problem.message) facts.push({ key: "message", label: words.facts.said, value: whole(problem.message) });
  if (how.request !== false && (problem.request_id || problem.status !== null)) facts.push(requestFact(problem.request_id));
  return facts;
}

/** @param {RevokeReport} report @returns {Fact} */
function comingBack(report) {
  const value = report.may_reconnect === null ? words.facts.coming_unknown : report.may_reconnect ? words.facts.coming_yes : words.facts.coming_no;
  return { key: "may_reconnect", label: words.facts.coming_back, value };
}

/** @param {RevokeReport} report @returns {Fact[]} */
function tokens(report) {
  const at = report.tokens_until;
  if (!at) return [];
  const value = el("span");
  everySecond(value, () => {
    const ms = until(at);
    // Nobody needs seconds of something that is only about right, except where they are all that is left.
    const left = ms <= 0 ? "" : ms < 2 * 60_000 ? words.seconds(Math.ceil(ms / 1000)) : span(ms);
    if (value.dataset.left === left) return;
    value.dataset.left = left;
    const when = time(at, { seconds: false });
    value.replaceChildren(left === "" ? say(words.facts.tokens_past, { at: when }) : say(words.facts.tokens_value, { at: when, left: el("span", { class: "num", "data-test": "tokens-left" }, left) }));
  });
  return [{ key: "tokens_until", label: words.facts.tokens, value }];
}

/** @param {RevokeReport} report @returns {Fact[]} */
function sessions(report) {
  return report.full_access ? [{ key: "full_access", label: words.facts.sessions, value: words.facts.sessions_value }] : [];
}

/** @param {RevokeReport} report @returns {Fact[]} */
function sent(report) {
  if (!report.sent_at) return [];
  const said = report.attempts > 1 ? words.facts.sent_times(report.attempts) : words.facts.sent_once;
  return [{ key: "sent_at", label: words.facts.sent, value: say(said, { at: time(report.sent_at) }) }];
}

/** @param {string} key @param {string} label @param {string | null} at @returns {Fact[]} */
const when = (key, label, at) => (at ? [{ key, label, value: time(at) }] : []);

/**
 * What can be done about a revoke that is not settled. Sending again destroys, so it leads to a confirmation first.
 * @param {RevokeReport} report
 * @param {Around} around
 * @returns {Act[]}
 */
function settling(report, around) {
  const { settle, sendAgain } = around;
  if (!(report.unsettled || report.outcome === "unknown")) return [];
  /** @type {Act[]} */
  const acts = [];
  // Another look, and sending again, are asked of a whole sweep: beside one grant of many they would do more than they say.
  if (sendAgain && report.alone && report.answered_at === null) acts.push({ key: "send-again", label: words.acts.send_again_ask, style: "danger", run: () => sendAgain(report.sweep_id) });
  if (settle && report.alone) acts.push({ key: "settle", label: words.acts.settle, run: (button) => settle(button, report.sweep_id) });
  return acts;
}

/**
 * A member as one line of text.
 * @param {MemberFace} member
 */
function memberLine(member) {
  return [member.name ? visible(member.name) : "", member.email ? `<${visible(member.email)}>` : "", visible(member.member_id)].filter((part) => part !== "").join(" ");
}

/** A time as a record has it: UTC, to the second. @param {string | null} at */
function utc(at) {
  if (!at) return words.not_recorded;
  const when = new Date(at);
  return Number.isNaN(when.getTime()) ? visible(at) : `${when.toISOString().slice(0, 19)}Z`;
}

/**
 * What was observed, as plain text. What strangers wrote is shown here as on screen: a name with a line break in it must not
 * be able to add a line to the record.
 * @param {RevokeReport} report
 * @param {string} outcome
 */
function recordText(report, outcome) {
  return words.record({
    outcome: `${outcome} (${report.outcome})`,
    organization: `${visible(report.organization_name)} ${words.environment[report.environment]}`,
    member: memberLine(report.member),
    app: `${visible(report.app.name) || words.nameless} ${visible(report.app.connected_app_id)}`,
    scopes: visible(report.scopes.join(" "), 4000) || words.grants.no_scopes,
    sent: report.attempts === 0 ? words.facts.sent_none : utc(report.sent_at),
    answered: utc(report.answered_at),
    gone: utc(report.gone_at),
    confirmed: utc(report.confirmed_at),
    request: (report.outcome === "unknown" && report.attempts === 0 ? null : report.request_id) ?? report.denial?.request_id ?? words.not_recorded,
    head: report.head,
  });
}

/**
 * Whose grant it was, to what, where, and where the journal stands: what makes the rest of it evidence.
 * @param {RevokeReport} report
 * @returns {Fact[]}
 */
function recordFacts(report) {
  const { member, app } = report;
  const name = memberName(member);
  const address = member.name && member.email ? group(" ", named(member.email, { limit: 120 })) : null;
  const id = name === member.member_id ? null : el("span", { class: "block" }, whole(member.member_id, { mono: true }));
  return [
    { key: "member", label: words.facts.member, value: group(name === member.member_id ? whole(name, { mono: true }) : named(name, { limit: 160 }), address, id) },
    { key: "app", label: words.facts.app, value: named(app.name, { limit: 160 }) },
    { key: "connected_app_id", label: words.facts.client_id, value: whole(app.connected_app_id, { mono: true }), copy: app.connected_app_id },
    { key: "organization", label: words.facts.organization, value: placed(report) },
    { key: "head", label: words.facts.head, value: el("span", { class: "mono", title: visible(report.head) }, visible(report.head, 16)), copy: report.head },
  ];
}

/**
 * Which grant of which sweep a report tells of: a sweep may have many.
 * @param {RevokeReport} report
 */
export const reportId = (report) => `${report.sweep_id}\n${report.member.member_id}\n${report.app.connected_app_id}`;

/**
 * The organization of a report or a sweep, and which kind of place it is in.
 * @param {{ organization_name: string, environment: import("../contract.js").Environment }} report
 */
export function placed(report) {
  return group(named(report.organization_name, { limit: 80 }), " ", el("span", { class: "env", "data-env": report.environment }, words.environment[report.environment]));
}

/**
 * What has become of a revoke.
 * @param {RevokeReport} report
 * @param {Around} around
 * @returns {Telling}
 */
export function tellOutcome(report, around) {
  // Elsewhere nothing can be done about it from here, so nothing is offered but to read it and to close.
  const near = report.here ? around : { session: null, act: around.act, ...(around.close ? { close: around.close } : {}) };
  const telling = report.outcome === "denied" && report.denial
    ? tellDenial(report.denial, { ...near, about: { member: report.member, app: report.app } }, { outcome: "denied", sweep: report.sweep_id })
    : tellObserved(report, near);
  telling.record = recordFacts(report);
  if (!report.here) {
    telling.acts = telling.acts.filter((act) => act.key === "close");
    telling.notes.unshift(note("elsewhere", say(words.facts.elsewhere, { org: named(report.organization_name, { strong: true, limit: 80 }), env: el("span", { class: "env", "data-env": report.environment }, words.environment[report.environment]) })));
  }
  const lefts = telling.acts.filter((act) => act.left).length;
  telling.acts.splice(lefts, 0, { key: "copy-record", label: words.acts.copy_record, left: true, copies: recordText(report, telling.title) });
  return telling;
}

/**
 * Title and lead by what was observed: one outcome may have been come to in several ways, and each is said as it was.
 * @param {RevokeReport} report
 * @param {boolean} confirmed
 * @returns {{ title: string, lead: string }}
 */
function saidOf(report, confirmed) {
  const status = report.problem?.status ?? null;
  const all = words.outcome;
  if (report.outcome === "already_gone" && report.attempts > 0) return status === 404 ? all.already_gone_404 : all.already_gone_unanswered;
  if (report.outcome === "unknown" && report.attempts === 0) return all.unknown_unsent;
  if (report.outcome === "unknown" && report.answered_at !== null) return all.unknown_answered;
  if (brokenOff(report)) return all.unknown_interrupted;
  return all[confirmed ? "confirmed" : report.outcome];
}

/**
 * @param {RevokeReport} report
 * @param {Around} around
 * @returns {Telling}
 */
function tellObserved(report, around) {
  const confirmed = report.outcome === "revoked" && report.confirmed_at !== null;
  const said = saidOf(report, confirmed);
  const pieces = { member: bold(report.member), app: boldApp(report.app), org: named(report.organization_name, { limit: 80 }), at: time(report.read_at ?? report.began_at) };
  const lead = said.lead;
  /** @type {Fact[]} */
  let facts = [];
  /** @type {Act[]} */
  const acts = [];
  /** @type {import("./telling.js").Mark} */
  let mark = "note";

  switch (report.outcome) {
    case "revoked": {
      mark = "gone";
      const gone = report.gone_at ? time(report.gone_at) : words.unknown_value;
      const value = report.confirmed_at
        ? say(words.facts.gone_confirmed, { gone, confirmed: time(report.confirmed_at) })
        : report.confirm_due_at
          ? say(words.facts.gone_value, { gone, due: time(report.confirm_due_at, { seconds: false }) })
          : say(words.facts.gone_plain, { gone });
      facts = [{ key: "gone_at", label: words.facts.gone, value }, requestFact(report.request_id, report.answered_at !== null), ...tokens(report), comingBack(report), ...sessions(report)];
      break;
    }
    case "accepted":
      mark = "wait";
      facts = [
        ...(report.why ? [{ key: "why", label: words.facts.why, value: words.why[report.why] }] : []),
        ...when("answered_at", words.facts.answered, report.answered_at),
        requestFact(report.request_id, report.answered_at !== null),
        ...tokens(report),
        comingBack(report),
        ...sessions(report),
        ...problemFacts(report.problem, { request: false }),
      ];
      break;
    case "still_there":
      mark = "wait";
      facts = [...sent(report), ...when("answered_at", words.facts.answered, report.answered_at), ...when("read_at", words.facts.last_read, report.read_at), requestFact(report.request_id, report.answered_at !== null), comingBack(report)];
      if (around.revokeAgain) acts.push({ key: "revoke-again", label: words.acts.revoke_again, run: around.revokeAgain });
      break;
    case "already_gone":
      mark = "gone";
      facts = [
        ...when("gone_at", words.facts.not_listed, report.gone_at ?? report.read_at),
        ...(report.attempts > 0 ? sent(report) : [{ key: "sent_at", label: words.facts.sent, value: words.facts.sent_none }]),
        ...(report.request_id ? [requestFact(report.request_id, report.answered_at !== null)] : []),
        ...tokens(report),
        comingBack(report),
        ...sessions(report),
      ];
      break;
    case "hidden":
      mark = "wait";
      facts = [...sent(report), ...when("read_at", words.facts.last_read, report.read_at), requestFact(report.request_id, report.answered_at !== null), ...tokens(report), ...sessions(report), ...problemFacts(report.problem, { request: false })];
      break;
    case "member_gone":
      mark = "gone";
      facts = [...when("read_at", words.facts.last_read, report.read_at), requestFact(report.request_id, report.answered_at !== null), ...tokens(report), ...sessions(report)];
      break;
    case "denied":
      mark = "no";
      facts = [...sent(report), ...problemFacts(report.problem, { request: false }), requestFact(report.request_id, report.answered_at !== null)];
      break;
    case "failed":
      mark = "trouble";
      facts = [...problemFacts(report.problem, { request: false }), ...sent(report), requestFact(report.problem?.request_id ?? report.request_id, report.answered_at !== null)];
      if (around.revokeAgain) acts.push({ key: "revoke-again", label: words.acts.revoke_again, run: around.revokeAgain });
      break;
    case "unknown":
      mark = "wait";
      facts = [...sent(report), ...problemFacts(report.problem, { request: false }), ...when("read_at", words.facts.last_read, report.read_at), ...(report.attempts > 0 ? [requestFact(report.request_id, report.answered_at !== null)] : []), comingBack(report), ...sessions(report)];
      break;
  }
  acts.push(...settling(report, around));
  /** @type {Telling} */
  const telling = {
    about: { outcome: report.outcome, sweep: report.sweep_id, confirmed: String(confirmed) },
    mark,
    title: said.title,
    lead: say(lead, pieces),
    facts,
    notes: report.unsettled ? [el("p", { class: "soft", "data-fact": "unsettled" }, words.facts.unsettled)] : [],
    acts: [...acts, ...closing(around, report.outcome === "revoked" ? words.done : words.close)],
  };
  return report.listed_again_at ? tellListedAgain(telling, report, report.listed_again_at, around) : telling;
}

/**
 * It was gone, and it is listed again: that comes first, and what was observed before stays to be read.
 * @param {Telling} telling
 * @param {RevokeReport} report
 * @param {string} at
 * @param {Around} around
 * @returns {Telling}
 */
function tellListedAgain(telling, report, at, around) {
  const said = words.outcome.listed_again;
  const { revokeAgain } = around;
  const others = telling.acts.filter((act) => act.key !== "close" && act.key !== "revoke-again");
  return {
    ...telling,
    about: { ...telling.about, listed_again: "true" },
    mark: "trouble",
    title: said.title,
    lead: say(said.lead, { member: bold(report.member), app: boldApp(report.app), at: time(at), gone: report.gone_at ? time(report.gone_at) : words.unknown_value }),
    acts: [...(revokeAgain ? [{ key: "revoke-again", label: words.acts.revoke_again, run: revokeAgain }] : []), ...others, ...closing(around)],
  };
}

/**
 * A permission that is missing, told in advance or by Stytch.
 * @param {Denial} denial
 * @param {Around} around
 * @param {Record<string, string>} about
 * @returns {Telling}
 */
export function tellDenial(denial, around, about) {
  const permission = denial.action
    ? say(words.facts.missing_value, { action: el("code", {}, denial.action), resource: el("code", {}, denial.resource ?? words.unknown_value) })
    : words.facts.missing_none;
  const session = around.session;
  // Without a policy, an empty list of roles says nothing.
  const unknown = denial.policy_read_at === null || denial.action === null;
  const holders = unknown ? words.unknown_value : denial.roles_that_hold_it.join(", ") || words.facts.holders_none;
  const common = {
    organization: session?.organization_name ?? words.unknown_value,
    email: session?.member_email ?? words.unknown_value,
    action: denial.action ?? words.unknown_value,
    resource: denial.resource ?? words.unknown_value,
    roles: listed(denial.your_roles),
    holders,
    request: denial.request_id ?? words.said_in_advance,
  };
  const subject = around.about;
  const request = subject
    ? words.access_request({ ...common, app: visible(subject.app.name), app_id: visible(subject.app.connected_app_id), member: visible(memberName(subject.member)), member_id: visible(subject.member.member_id) })
    : words.access_request_list(common);
  const said = words.outcome.denied;
  const lead = subject
    ? say(denial.asked ? said.lead : said.lead_advance, { member: bold(subject.member), app: boldApp(subject.app) })
    : denial.asked ? words.refusals.not_allowed.lead : words.refusals.not_allowed.lead_advance;
  /** @type {Act[]} */
  const acts = [{ key: "copy-request", label: words.acts.copy_request, left: true, copies: request }];
  if (around.readPolicy) acts.push({ key: "policy-again", label: words.acts.policy_again, run: around.readPolicy });
  if (around.askAnyway) acts.push({ key: "ask-anyway", label: denial.asked ? words.acts.ask_again : words.acts.ask_anyway, run: around.askAnyway });
  return {
    about: { ...about, asked: String(denial.asked) },
    mark: "no",
    title: said.title,
    lead,
    facts: [
      { key: "missing", label: words.facts.missing, value: permission },
      { key: "your_roles", label: words.facts.your_roles, value: named(listed(denial.your_roles), { limit: 400 }) },
      { key: "roles_that_hold_it", label: words.facts.holders, value: named(holders, { limit: 400 }) },
      { key: "policy_read_at", label: words.facts.policy_read, value: denial.policy_read_at ? time(denial.policy_read_at) : words.facts.policy_unread },
      ...(denial.asked ? [requestFact(denial.request_id)] : []),
    ],
    notes: [el("p", { class: "soft" }, words.role_delay)],
    acts: [...acts, ...closing(around)],
  };
}

/** What happened, what helps, and only then what a support engineer asks for. @type {Record<string, number>} */
const RANK = { cause: 1, message: 2, next: 3, status: 4, method: 5, request_id: 6 };

/**
 * Why a command did not do what was asked.
 * @param {AnyRefusal} refusal
 * @param {Around} around
 * @returns {Telling}
 */
export function tellRefusal(refusal, around) {
  const all = words.refusals;
  const host = around.host ?? around.session?.connection.base_url ?? "";
  /** @type {Telling} */
  const told = { about: { refusal: refusal.kind }, mark: "note", title: "", lead: "", facts: [], notes: [], acts: [] };
  /** @param {Piece} value @returns {Fact} */
  const next = (value) => ({ key: "next", label: words.facts.next, value });
  const retry = around.retry;
  /** @type {Act[]} */
  const again = retry ? [{ key: "retry", label: words.try_again, run: retry }] : [];

  /** @param {{ title: string, lead: Piece }} said */
  const begin = (said) => { told.title = said.title; told.lead = said.lead; };

  switch (refusal.kind) {
    case "bad_input":
      begin({ title: all.bad_input.title, lead: say(all.bad_input.lead, { fault: faultWords(refusal.field, refusal.fault) }) });
      break;
    case "unknown_host":
      begin({ title: all.unknown_host.title, lead: say(all.unknown_host.lead, { host: el("code", {}, refusal.base_url) }) });
      break;
    case "signed_out": {
      told.mark = "wait";
      const { stopped } = around;
      begin({ title: all.signed_out.title, lead: group(all.signed_out.lead, " ", stopped ? all.signed_out.stopped(stopped.unsent, stopped.grants) : around.act === "revoke" ? all.revoke_untouched : all.signed_out.so_far) });
      if (around.about) told.facts.push({ key: "go_on", label: all.signed_out.go_on, value: say(all.signed_out.go_on_value, { app: boldApp(around.about.app), member: bold(around.about.member) }) });
      if (around.session) told.facts.push({ key: "as", label: all.signed_out.as, value: named(around.session.member_email) });
      told.facts.push(next(around.about || stopped ? all.signed_out.next : all.signed_out.next_list));
      if (refusal.request_id) told.facts.push(requestFact(refusal.request_id));
      if (around.signIn) told.acts.push({ key: "sign-in-again", label: around.about ? words.acts.sign_in_go_on : words.acts.sign_in, style: "solid", run: around.signIn });
      if (around.close) told.acts.unshift({ key: "close", label: words.close, run: around.close });
      return told;
    }
    case "not_allowed":
      return tellDenial(refusal, around, { refusal: "not_allowed" });
    case "rate_limited": {
      told.mark = "wait";
      begin(all.rate_limited);
      const at = refusal.until ?? new Date(Date.now() + 60_000).toISOString();
      const left = el("span", { class: "soft num" });
      everySecond(left, () => { left.textContent = until(at) > 0 ? `(${countdown(until(at))})` : ""; });
      told.facts = [
        { key: "until", label: all.rate_limited.until, value: refusal.until ? say(all.rate_limited.until_value, { at: time(refusal.until), left }) : all.rate_limited.until_none },
        ...problemFacts(refusal.problem),
        next(all.rate_limited.next),
      ];
      if (retry) told.acts.push({ key: "retry", label: words.try_again, until: at, run: retry });
      break;
    }
    case "bundle_id_not_registered": {
      const said = all.bundle_id_not_registered;
      told.mark = "no";
      begin(said);
      told.facts = [
        { key: "identifier", label: said.identifier, value: el("code", {}, refusal.identifier), copy: refusal.identifier },
        { key: "who", label: said.who, value: said.who_value },
        { key: "where", label: said.where, value: said.where_value },
        requestFact(refusal.problem.request_id),
      ];
      told.acts.push({ key: "copy-owner", label: words.acts.copy_owner, left: true, copies: words.owner_note.bundle(refusal.identifier, refusal.problem.request_id ?? words.unknown_value) }, ...again);
      break;
    }
    case "sdk_endpoint_off": {
      const said = all.sdk_endpoint_off;
      told.mark = "no";
      begin(said);
      const switched = around.act === "sign_in" && !/members?|organizations?\.members/i.test(refusal.method ?? "") ? said.email_switch : said.admin_switch;
      told.facts = [
        { key: "switch", label: said.switch, value: el("code", {}, switched), copy: switched },
        { key: "who", label: said.who, value: said.who_value },
        { key: "where", label: said.where, value: said.where_value },
        ...(refusal.method ? [{ key: "method", label: said.method, value: named(refusal.method) }] : []),
        requestFact(refusal.problem.request_id),
      ];
      told.acts.push({ key: "copy-owner", label: words.acts.copy_owner, left: true, copies: words.owner_note.endpoint(switched, refusal.method ?? words.unknown_value, refusal.problem.request_id ?? words.unknown_value) }, ...again);
      break;
    }
    case "captcha_required":
      told.mark = "no";
      begin(all.captcha_required);
      told.facts = [next(all.captcha_required.next), ...problemFacts(refusal)];
      break;
    case "cookies_only":
      told.mark = "no";
      begin(all.cookies_only);
      told.facts = [next(all.cookies_only.next), ...problemFacts(refusal)];
      break;
    case "code_rejected":
      begin(all.code_rejected);
      told.facts = problemFacts(refusal);
      break;
    case "no_organization":
      begin(all.no_organization);
      told.facts = [next(all.no_organization.next)];
      break;
    case "organization_refused":
      told.mark = "trouble";
      begin(all.organization_refused);
      told.facts = [...problemFacts(refusal), next(all.organization_refused.next)];
      break;
    case "member_gone":
      begin(all.member_gone);
      told.facts = [...problemFacts(refusal), next(all.member_gone.next)];
      told.acts.push(...again);
      break;
    case "app_gone":
      begin(all.app_gone);
      told.facts = [...problemFacts(refusal), next(all.app_gone.next)];
      told.acts.push(...again);
      break;
    case "offline":
      told.mark = "trouble";
      begin({ title: host ? say(all.offline.title, { host: hostOf(host) }).textContent ?? "" : all.offline.title, lead: around.act === "read" ? all.offline.lead : all.offline.lead_act });
      told.facts = [...problemFacts(refusal), next(all.offline.next)];
      told.acts.push(...again);
      break;
    case "garbled":
      told.mark = "trouble";
      begin(all.garbled);
      told.facts = [...problemFacts(refusal), next(all.garbled.next)];
      told.acts.push(...again);
      break;
    case "redirected":
      told.mark = "trouble";
      begin(all.redirected);
      told.facts = [
        ...(refusal.to_host ? [{ key: "to_host", label: all.redirected.to, value: el("code", {}, named(refusal.to_host)) }] : []),
        ...problemFacts(refusal.problem),
        next(all.redirected.next),
      ];
      told.acts.push(...again);
      break;
    case "server_error":
      told.mark = "trouble";
      begin(all.server_error);
      told.facts = [...problemFacts(refusal), next(all.server_error.next)];
      told.acts.push(...again);
      break;
    case "refused":
      told.mark = "trouble";
      begin(all.refused);
      told.facts = [...problemFacts(refusal), next(all.refused.next)];
      told.acts.push(...again);
      break;
    case "journal": {
      told.mark = "trouble";
      // Whoever was only reading must not be told of a request that was never meant.
      const acting = refusal.sent || around.act === "revoke";
      const older = refusal.fault === "rolled_back";
      begin(older ? { title: all.journal.title_older, lead: all.journal.lead_older } : { title: acting ? all.journal.title : all.journal.title_open, lead: refusal.sent ? all.journal.lead_sent : acting ? all.journal.lead : all.journal.lead_open });
      const causes = /** @type {Record<string, string>} */ (all.journal.faults);
      const nexts = /** @type {Record<string, string>} */ (all.journal.next);
      const helps = refusal.sent ? (refusal.fault === "full" ? all.journal.next.full_sent : all.journal.next.other_sent) : nexts[refusal.fault] ?? all.journal.next.other;
      told.facts = [{ key: "cause", label: words.facts.cause, value: causes[refusal.fault] ?? all.journal.faults.other }, next(say(helps, { flag: el("code", {}, all.journal.flag) }))];
      // A journal grows no younger by being asked again.
      if (!refusal.sent && !older) told.acts.push(...again);
      break;
    }
    case "keyring": {
      told.mark = "trouble";
      begin(all.keyring);
      const causes = /** @type {Record<string, string>} */ (words.keeping_banner);
      told.facts = [{ key: "cause", label: words.facts.cause, value: causes[refusal.keeping] ?? words.unknown_value }, next(all.keyring.next)];
      if (around.tryKeyring) told.acts.push({ key: "keyring-again", label: words.acts.keyring_again, run: around.tryKeyring });
      break;
    }
    case "plan_changed":
      told.mark = "trouble";
      begin(all.plan_changed);
      told.facts = [next(all.plan_changed.next)];
      if (around.revokeAgain) {
        told.acts.push({ key: "look-again", label: words.acts.look_again, style: "solid", run: around.revokeAgain });
        if (around.close) told.acts.unshift({ key: "close", label: words.close, run: around.close });
        return told;
      }
      break;
    case "export": {
      told.mark = "trouble";
      begin(all.export);
      const causes = /** @type {Record<string, string>} */ (all.export.faults);
      told.facts = [{ key: "cause", label: words.facts.cause, value: causes[refusal.fault] ?? all.export.faults.other }, ...(refusal.folder ? [{ key: "folder", label: all.export.folder, value: whole(refusal.folder, { mono: true }) }] : []), next(all.export.next)];
      told.acts.push(...again);
      break;
    }
    case "nothing_read":
      begin(all.nothing_read);
      told.facts = [next(all.nothing_read.next)];
      told.acts.push(...again);
      break;
    case "cancelled":
      begin(all.cancelled);
      told.acts.push(...again);
      break;
    case "broken":
      told.mark = "trouble";
      begin(all.broken);
      told.facts = [next(all.broken.next)];
      break;
    case "plan": {
      const faults = /** @type {Record<string, string>} */ (all.plan.faults);
      const nexts = /** @type {Record<string, string>} */ (all.plan.next);
      begin({ title: all.plan.title, lead: say(all.plan.lead, { fault: faults[refusal.fault] ?? all.plan.faults.other }) });
      told.facts = [next(nexts[refusal.fault] ?? all.plan.next.other)];
      break;
    }
    case "block": {
      const faults = /** @type {Record<string, string>} */ (all.block.faults);
      const nexts = /** @type {Record<string, string>} */ (all.block.next);
      told.mark = "no";
      begin({ title: all.block.title, lead: say(all.block.lead, { fault: faults[refusal.fault] ?? all.block.faults.other }) });
      if (refusal.app_ids.length > 0) told.facts.push({ key: "app_ids", label: words.apps.pick_id, value: whole(refusal.app_ids.join(" "), { mono: true }) });
      told.facts.push(next(nexts[refusal.fault] ?? all.block.next.other));
      const readAgain = around.readAgain;
      if (readAgain && ["incomplete_list", "not_listed"].includes(refusal.fault)) told.acts.push({ key: "read-look", label: all.block.read, run: readAgain });
      else told.acts.push(...again);
      break;
    }
    case "policy_changed": {
      told.mark = "trouble";
      begin(all.policy_changed);
      told.facts = [{ key: "differs", label: all.policy_changed.differs, value: differences(refusal.differs) }, next(all.policy_changed.next)];
      if (around.revokeAgain) {
        told.acts.push({ key: "look-again", label: words.acts.look_again, style: "solid", run: around.revokeAgain });
        if (around.close) told.acts.unshift({ key: "close", label: words.close, run: around.close });
        return told;
      }
      break;
    }
    case "chosen_file": {
      const faults = /** @type {Record<string, string>} */ (all.chosen_file.faults);
      const nexts = /** @type {Record<string, string>} */ (all.chosen_file.next);
      const { line, entry } = refusal;
      const place = line !== null ? ` ${all.chosen_file.line(line)}` : entry !== null ? ` ${all.chosen_file.entry(entry)}` : "";
      begin({ title: all.chosen_file.title, lead: say(all.chosen_file.lead, { fault: faults[refusal.fault] ?? all.chosen_file.faults.other, place }) });
      told.facts = [next(nexts[refusal.fault] ?? all.chosen_file.next.other)];
      if (retry) told.acts.push({ key: "retry", label: all.chosen_file.choose, run: retry });
      break;
    }
    case "sweep_running": {
      told.mark = "wait";
      begin(all.sweep_running);
      told.facts = [next(all.sweep_running.next)];
      const { showSweep } = around;
      const { sweep_id } = refusal;
      if (showSweep && sweep_id !== null) told.acts.push({ key: "show-sweep", label: all.sweep_running.show, run: () => showSweep(sweep_id) });
      break;
    }
    case "busy":
      told.mark = "wait";
      begin(all.busy);
      told.facts = [{ key: "pid", label: all.busy.pid, value: refusal.pid === null ? all.busy.pid_here : all.busy.pid_value(refusal.pid) }, next(all.busy.next)];
      told.acts.push(...again);
      break;
    case "out_of_order":
      begin(all.out_of_order);
      told.facts = [next(all.out_of_order.next)];
      if (around.startOver) told.acts.push({ key: "start-over", label: words.signin.start_over, run: around.startOver });
      break;
    case "not_signed_out_at_server":
      told.mark = "trouble";
      begin(all.not_signed_out_at_server);
      told.facts = [...problemFacts(refusal), next(all.not_signed_out_at_server.next)];
      if (around.signOutAnyway) told.acts.push({ key: "sign-out-anyway", label: words.acts.sign_out_anyway, left: true, run: around.signOutAnyway });
      told.acts.push(...again);
      break;
    case "shell_refused":
      told.mark = "trouble";
      begin(all.shell_refused);
      told.facts = [{ key: "message", label: words.facts.said, value: named(refusal.message, { limit: 400, title: false }) }];
      break;
    default:
      told.mark = "trouble";
      begin(all.unexpected);
      told.about = { refusal: "unexpected" };
      told.facts = [{ key: "message", label: words.facts.said, value: named(String(/** @type {any} */ (refusal).message ?? /** @type {any} */ (refusal).kind), { limit: 400, title: false }) }];
      told.acts.push(...again);
  }
  told.facts.sort((a, b) => (RANK[a.key] ?? 0) - (RANK[b.key] ?? 0));
  told.acts.push(...closing(around));
  return told;
}

/**
 * The sentence for what is wrong with a field.
 * @param {import("../contract.js").Field} field
 * @param {import("../contract.js").Fault} fault
 * @returns {string}
 */
export function faultWords(field, fault) {
  const ofField = /** @type {Record<string, Record<string, string>>} */ (words.faults)[field];
  return ofField?.[fault] ?? words.faults.other[fault] ?? words.faults.other.malformed;
}

/**
 * The host of an address, for a sentence.
 * @param {string} base
 */
export function hostOf(base) {
  try {
    return new URL(base).host;
  } catch {
    return base;
  }
}

/**
 * One line on an outcome, for the list of what was done.
 * @param {RevokeReport} report
 * @returns {{ mark: import("./telling.js").Mark, short: string, facts: Piece }}
 */
export function outcomeLine(report) {
  const said = words.activity;
  const confirmed = report.outcome === "revoked" && report.confirmed_at !== null;
  const unsent = report.outcome === "unknown" && report.attempts === 0;
  const short = unsent ? words.sweep.unsent : words.outcome[confirmed ? "confirmed" : report.outcome].short;
  /** @type {Piece} */
  let facts = clockOr(said.began, report.began_at);
  /** @type {import("./telling.js").Mark} */
  let mark = "note";
  if (report.outcome === "revoked" && report.gone_at) {
    mark = "gone";
    const gone = clock(report.gone_at);
    facts = report.confirmed_at
      ? say(said.gone_confirmed, { gone, confirmed: clock(report.confirmed_at) })
      : report.confirm_due_at ? say(said.gone_due, { gone, due: clock(report.confirm_due_at, { seconds: false }) }) : facts;
  } else if (report.outcome === "unknown" || report.outcome === "hidden") {
    mark = unsent ? "note" : "wait";
    if (report.sent_at) facts = clockOr(brokenOff(report) ? said.maybe_sent_at : said.sent_at, report.sent_at);
  } else if (report.outcome === "still_there") {
    mark = "wait";
    if (report.read_at) facts = clockOr(said.listed_at, report.read_at);
  } else if (report.outcome === "accepted") {
    mark = "wait";
    facts = report.why ? words.why[report.why] : report.answered_at ? clockOr(said.answered_at, report.answered_at) : facts;
  } else if (report.outcome === "denied") {
    mark = "no";
    facts = report.denial?.asked === false ? said.denied_advance : said.denied_asked;
  } else if (report.outcome === "failed") {
    mark = "trouble";
    facts = report.problem?.error_type ?? (report.problem?.cause ? /** @type {Record<string, string>} */ (words.cause)[report.problem.cause] : null) ?? facts;
  } else {
    mark = "gone";
  }
  // What it came to is of its time; what is listed now is not gone now.
  if (report.listed_again_at) {
    const gone = report.gone_at ? clock(report.gone_at) : null;
    const at = clock(report.listed_again_at);
    return { mark: "trouble", short: words.outcome.listed_again.short, facts: gone ? say(said.listed_again, { gone, at }) : say(said.listed_at, { at }) };
  }
  return { mark, short, facts };
}

/** Whether only the intent to send is on record: nobody knows whether the request left. @param {RevokeReport} report */
const brokenOff = (report) => report.outcome === "unknown" && report.attempts > 0 && report.answered_at === null && (report.problem === null || report.problem.cause === "interrupted");

/** @param {string} said @param {string} at */
const clockOr = (said, at) => say(said, { at: clock(at) });

/**
 * The warnings that belong to a grant before it is revoked.
 * @param {import("../contract.js").RevokePlan} plan
 * @param {{ anyway: boolean }} how
 * @returns {HTMLElement[]}
 */
export function planNotes(plan, how) {
  const said = words.confirm;
  const notes = [];
  if (plan.app.first_party) notes.push(note("first_party", el("b", {}, said.first_party), " ", said.first_party_note));
  const noType = plan.app.client_type === "";
  if (plan.full_access === null || noType) notes.push(note("unread", plan.full_access !== null ? said.unread_type : noType ? said.unread : said.unread_scopes));
  if (plan.full_access) notes.push(note("full_access", el("b", {}, said.full_access), " ", said.full_access_note));
  if (how.anyway && plan.denied) notes.push(note("anyway", say(said.anyway, { at: plan.denied.policy_read_at ? time(plan.denied.policy_read_at) : words.unknown_value })));
  return notes;
}
