// One sweep of many: how far it is, what it came to, each grant with its outcome and request id, and what may be done next.

import { ask, refusalOf } from "../bridge.js";
import { refusedPanel } from "../elements/browse.js";
import { openDialog } from "../elements/dialog.js";
import { outcomeLine, reportId, tellDenial, tellRefusal } from "../elements/outcome.js";
import { differences } from "../elements/policy.js";
import { Rows } from "../elements/rows.js";
import { note, paintTelling, putMark } from "../elements/telling.js";
import { announce, button, clone, el, input, put, say, slot } from "../lib/dom.js";
import { copyButton } from "../elements/copy.js";
import { AGAIN, GONE, counted, isOpen } from "../lib/sweeps.js";
import { memberName, named, visible } from "../lib/text.js";
import { clock, countdown, everySecond, span, time, until } from "../lib/time.js";
import { words } from "../words/en.js";
import { exportPack, shortHead } from "./evidence.js";
import { lift, returnedActs, showPairs, sweepPairs } from "./lift.js";
import { retryPlan } from "./plan.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").Sweep} Sweep */
/** @typedef {import("../contract.js").SweepProgress} SweepProgress */
/** @typedef {import("../contract.js").RevokeReport} RevokeReport */
/** @typedef {import("../contract.js").Outcome} Outcome */
/** @typedef {Outcome | "unsent"} Kind */

/** How the bar is drawn, from the left. @type {Array<{ kind: Kind | "answered", of: "gone" | "wait" | "open" | "bad" | "sent" | "rest" }>} */
const BAR = [
  { kind: "revoked", of: "gone" },
  { kind: "already_gone", of: "gone" },
  { kind: "member_gone", of: "gone" },
  { kind: "accepted", of: "wait" },
  { kind: "still_there", of: "wait" },
  { kind: "hidden", of: "wait" },
  { kind: "unknown", of: "open" },
  { kind: "denied", of: "bad" },
  { kind: "failed", of: "bad" },
];

/** How Stytch refuses what the roles of a session do not allow. */
const NOT_THE_ROLES = "session_authorization_error";

/** Milliseconds without an answer after which that is said: a rate of before says nothing of what hangs. */
const SILENCE = 10_000;

/** Milliseconds between two readings of the rows while it runs. */
const ROWS_EVERY = 1_500;

/**
 * Grants that are answered or settled by a read, how many of them the rows that were judged last did not have yet, and of how many a
 * revoke was answered: the head of the page, its bar and its legend go by the same.
 * @param {Sweep} sweep
 * @param {SweepProgress | null} progress
 */
function answers(sweep, progress) {
  const judged = sweep.grants - sweep.unsent - counted(sweep, ["unknown"]);
  const all = progress ? Math.min(sweep.grants, Math.max(judged, progress.answered)) : judged;
  const since = all - judged;
  // What was on its way is answered before what was not sent yet.
  const open = Math.max(0, counted(sweep, ["unknown"]) - since);
  const answered = Math.min(sweep.grants, Math.max(sweep.answered, progress?.answered ?? 0));
  return { answered, since, open, unsent: sweep.grants - all - open };
}

/** What a sweep is of, in one line. @param {Sweep} sweep */
export function sweepTitle(sweep) {
  const said = words.sweep;
  const { app, member } = sweep;
  if (sweep.grants === 0) return say(said.title_block, { apps: app ? named(app.name.trim() || app.connected_app_id, { strong: true, limit: 80 }) : el("b", {}, words.plan.apps(sweep.policy?.apps ?? 0)) });
  // A containment is of every app that it forbids, those included that keep their grants.
  const blocks = sweep.policy !== null;
  const apps = Math.max(sweep.apps, sweep.policy?.apps ?? 0);
  if (app && apps === 1) return say(blocks ? said.title_contain_app : said.title_app, { app: named(app.name, { strong: true, limit: 80 }), members: words.plan.members(sweep.members) });
  if (member) return say(blocks ? said.title_contain_member : said.title_member, { member: named(memberName(member), { strong: true, limit: 80 }), apps: words.plan.apps(apps) });
  return say(blocks ? said.title_contain_many : said.title_many, { grants: el("b", {}, words.plan.grants(sweep.grants)), apps: words.plan.apps(apps), members: words.plan.members(sweep.members) });
}

/** What became of a sweep's change of the policy, in a word or two. @param {import("../contract.js").SweepPolicy | null} policy */
export const blockShort = (policy) => words.sweep.block_short[policy?.theirs ? "theirs" : policy?.in_force ? "in_force" : policy?.lifted ? "lifted" : policy?.unread ? "unread" : "not"];

/** How a sweep stands, with its mark. @param {Sweep} sweep @returns {{ mark: import("../elements/telling.js").Mark, short: string }} */
export function sweepStand(sweep) {
  const { state } = sweep.stand;
  const gone = counted(sweep, GONE);
  if (state === "running" || state === "elsewhere") return { mark: "wait", short: words.sweep.states[state] };
  // Nothing was planned to be revoked, so nothing is gone: what it came to is what became of the policy.
  if (sweep.grants === 0 && (state === "done" || state === "cancelled")) {
    const { policy } = sweep;
    if (state === "cancelled" && (policy?.overtaken || !policy?.in_force)) return { mark: "trouble", short: words.sweep.states.cancelled };
    return { mark: policy?.in_force ? "gone" : policy?.lifted ? "wait" : "trouble", short: blockShort(policy) };
  }
  if (sweep.listed_again > 0) return { mark: "trouble", short: words.sweep.again_short(sweep.listed_again) };
  if (state === "done" || state === "cancelled") {
    const whole = gone === sweep.grants;
    // What was gone before was not revoked by this sweep.
    if (whole && counted(sweep, ["revoked"]) === 0) return { mark: "gone", short: words.outcome[counted(sweep, ["already_gone"]) > 0 ? "already_gone" : "member_gone"].short };
    if (whole && sweep.confirmed_at) return { mark: "gone", short: words.outcome.confirmed.short };
    if (whole) return { mark: "gone", short: words.outcome.revoked.short };
    return { mark: counted(sweep, ["denied", "failed"]) > 0 ? "trouble" : "wait", short: state === "cancelled" ? words.sweep.states.cancelled : words.sweep.partial_short(gone, sweep.grants) };
  }
  return { mark: "trouble", short: words.sweep.states[state] };
}

/** Why an open sweep rests, in a sentence. @param {Sweep} sweep @returns {string} */
export function whyOpen(sweep) {
  const said = words.sweep;
  const { stand } = sweep;
  switch (stand.state) {
    case "interrupted": return said.interrupted;
    case "paused": return said.paused;
    case "session_ended": return sweep.resume === "yes" ? said.session_back : said.session_ended;
    case "halted": return stand.error_type === NOT_THE_ROLES ? said.halted_roles : said.halted.replace("{why}", () => visible(stand.error_type, 80));
    case "canary_died": return said.canary(stand.failed, stand.of);
    case "cancelled": return said.cancelled(sweep.unsent);
    default: return "";
  }
}

/**
 * The sweep's own screen, in the place of the list it was opened from.
 * @param {Frame} frame
 * @param {string} id
 * @param {() => void} back
 */
export function sweepScreen(frame, id, back) {
  const root = clone("t-sweep");
  root.dataset.id = id;
  /** @type {Set<Kind>} */
  const kinds = new Set();
  let rowsAt = 0;
  let told = "";
  // How many were answered when it was drawn last, and since when so many.
  let answered = -1;
  let answeredAt = 0;
  // The keyboard was on one of the acts, and none was there to take it since.
  let pressed = false;

  /** @type {Rows<RevokeReport>} */
  const rows = new Rows({
    label: words.sweep.list,
    manner: "listbox",
    height: 50,
    template: "t-sweep-row",
    fetch: async ({ filter, offset, count }) => {
      const wanted = filter === "" ? { kinds: [], text: "" } : JSON.parse(filter);
      const outcomes = wanted.kinds.filter((/** @type {Kind} */ kind) => kind !== "unsent");
      const page = await ask("sweep_grants", { sweep_id: id, query: { outcomes, unsent: wanted.kinds.includes("unsent"), text: wanted.text, offset, count } });
      return { ...page, unreadable: [], read_at: new Date().toISOString() };
    },
    id: reportId,
    paint: (node, report) => {
      const { mark, short, facts } = outcomeLine(report);
      put(slot(node, "what"), named(memberName(report.member), { strong: true, limit: 80 }), report.member.yourself ? el("span", { class: "tag" }, words.you) : null);
      // Two members may have one name: the address tells them apart.
      const under = [report.member.name && report.member.email ? report.member.email : "", frame.sweeps.one(id)?.app ? "" : report.app.name.trim() || report.app.connected_app_id, report.scopes.join(" ")].filter((text) => text !== "");
      put(slot(node, "under"), ...under.flatMap((text, n) => [n > 0 ? " · " : "", named(text, { limit: 120 })]));
      putMark(slot(node, "mark"), mark);
      put(slot(node, "outcome"), short);
      put(slot(node, "facts"), report.attempts === 0 && report.outcome !== "already_gone" ? "" : facts);
      const request = slot(node, "request");
      // Where nothing was sent, the id is that of a read: nobody may take it for a revoke's.
      const none = report.attempts === 0 ? words.sweep.no_request : report.answered_at === null ? words.sweep.no_answer : words.facts.request_none;
      put(request, report.request_id && report.attempts > 0 ? named(report.request_id, { limit: 120 }) : el("span", { class: "soft" }, none));
      node.dataset.outcome = report.outcome;
    },
    onOpen: (report) => frame.showReport(report, { after: () => { rows.pick(null); rows.focus(); } }),
    onPage: (page) => { slot(root, "count").textContent = page.matching === page.total ? words.sweep.count(page.total) : words.sweep.some(page.matching, page.total); },
    empty: (page) => {
      const all = el("button", { class: "b", type: "button", "data-test": "sweep-show-all" }, words.sweep.show_all);
      all.addEventListener("click", () => { kinds.clear(); text.value = ""; draw(); load(); text.focus(); });
      return el("div", { class: "blankness", "data-test": "empty" }, el("b", {}, page.total === 0 ? words.contain.no_grants : words.sweep.none), page.total > 0 ? el("div", { class: "acts" }, all) : null);
    },
    refused: (refusal) => refusedPanel(frame, refusal, () => load()),
    stale: () => {},
  });
  slot(root, "under").replaceWith(rows.root);
  const text = input(root, "filter");

  function load() {
    rowsAt = Date.now();
    const wanted = { kinds: [...kinds].sort(), text: text.value.trim() };
    return rows.load({ filter: wanted.kinds.length === 0 && wanted.text === "" ? "" : JSON.stringify(wanted) });
  }

  let resting = 0;
  text.addEventListener("input", () => {
    clearTimeout(resting);
    resting = window.setTimeout(load, 110);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      rows.focus();
    } else if (event.key === "Escape" && text.value !== "") {
      event.preventDefault();
      event.stopPropagation();
      text.value = "";
      load();
    }
  });
  button(root, "back").addEventListener("click", back);

  function draw() {
    const sweep = frame.sweeps.one(id);
    if (!sweep) return;
    const running = frame.sweeps.running?.id === id ? frame.sweeps.running : null;
    const { state } = sweep.stand;
    root.dataset.state = state;
    put(slot(root, "title"), sweepTitle(sweep));
    const who = sweep.by.yourself || sweep.by.member_id === frame.session?.member_id ? words.you : memberName(sweep.by);
    put(
      slot(root, "summary"),
      say(words.sweep.began, { at: time(sweep.began_at, { seconds: false }) }), " ", say(words.sweep.by, { who: named(who, { limit: 60 }) }),
      ...(sweep.reason ? [" · ", say(words.activity.reason, { reason: named(sweep.reason, { limit: 120 }) })] : []),
      ...(sweep.here ? [] : [" · ", named(sweep.organization_name, { limit: 60 }), " ", el("span", { class: "env", "data-env": sweep.environment }, words.environment[sweep.environment])]),
    );
    drawBar(sweep, running?.progress ?? null);
    drawNow(sweep, running?.progress ?? null);
    drawActs(sweep, running?.progress ?? null);
    drawKinds(sweep, running?.progress ?? null);
  }

  /** @param {Sweep} sweep @param {SweepProgress | null} progress */
  function drawBar(sweep, progress) {
    const bar = slot(root, "bar");
    bar.hidden = sweep.grants === 0;
    const { since, open, unsent } = answers(sweep, progress);
    /** @type {Array<{ of: string, n: number, said: string }>} */
    const parts = BAR.map(({ kind, of }) => ({ of, n: kind === "unknown" ? open : counted(sweep, [/** @type {Outcome} */ (kind)]), said: words.outcome[/** @type {Outcome} */ (kind)].short }));
    parts.push({ of: "sent", n: since, said: words.sweep.answered }, { of: "rest", n: unsent, said: words.sweep.unsent });
    const shown = parts.filter((part) => part.n > 0);
    const key = JSON.stringify(shown);
    if (bar.dataset.key === key) return;
    bar.dataset.key = key;
    put(bar, ...shown.map((part) => {
      const made = el("i", { "data-of": part.of, title: `${part.said} ${words.number(part.n)}` });
      made.style.flexGrow = String(part.n);
      return made;
    }));
    bar.setAttribute("aria-label", `${words.sweep.progress}: ${shown.map((part) => `${part.said} ${words.number(part.n)}`).join(", ")}`);
  }

  /** What is going on, or what it came to. @param {Sweep} sweep @param {SweepProgress | null} progress */
  function drawNow(sweep, progress) {
    const said = words.sweep;
    const gone = counted(sweep, GONE);
    const { stand } = sweep;
    /** @type {import("../lib/dom.js").Piece[]} */
    let line = [];
    /** @type {HTMLElement[]} */
    const more = [];
    if (stand.state === "running") {
      const total = sweep.grants;
      const done = answers(sweep, progress).answered;
      const parts = [];
      if (progress?.stopping) parts.push(said.stopping);
      else if (progress?.reading) parts.push(done === 0 ? said.opening : said.reading);
      if (!progress?.stopping && total > 0) parts.push(said.sending(done, total));
      if (progress && !progress.reading && !progress.stopping && progress.per_minute > 0) parts.push(said.rate(progress.per_minute));
      if (progress?.left_ms && progress.left_ms > 1_000 && !progress.stopping) parts.push(said.left(span(progress.left_ms)));
      // Only where something is under way: between two reads it is the sweep that waits, and nobody owes an answer.
      const owed = progress !== null && progress.to_send > 0 && !progress.reading && !progress.limited_until && !progress.offline_until;
      if (!owed || progress.answered !== answered) answeredAt = Date.now();
      answered = progress?.answered ?? -1;
      const silence = everySecond(el("span", { "data-fact": "silence" }), (node) => {
        const ms = Date.now() - answeredAt;
        node.textContent = ms > SILENCE ? ` · ${said.silence(span(ms))}` : "";
      });
      line = [el("b", {}, words.sweep.states.running), " · ", parts.join(" · "), owed ? silence : null];
      if (progress?.limited_until) more.push(waiting("limited", said.limited, progress.limited_until, progress.quota ? said.quota(progress.quota) : ""));
      if (progress?.offline_until) more.push(waiting("offline", said.offline, progress.offline_until, ""));
    } else if (stand.state === "elsewhere") {
      line = [el("b", {}, said.states.elsewhere), " · ", said.elsewhere.replace("{pid}", () => (stand.pid === null ? "" : said.pid(stand.pid)))];
    } else if (isOpen(sweep)) {
      line = [el("b", {}, said.states[stand.state]), " · ", sweep.grants === 0 ? said.block_only : said.partial(gone, sweep.grants)];
      more.push(note("why", whyOpen(sweep), ...missingRole(sweep)));
    } else if (sweep.grants === 0) {
      line = [el("b", {}, sweepStand(sweep).short), " · ", said.block_only];
      if (stand.state === "cancelled" && !sweep.policy?.overtaken) more.push(note("why", whyOpen(sweep)));
    } else {
      const whole = gone === sweep.grants;
      if (whole && sweep.gone_at) {
        const confirm = sweep.confirmed_at ? say(said.confirmed, { at: time(sweep.confirmed_at, { seconds: false }) }) : sweep.look_again_at ? say(said.second_due, { at: time(sweep.look_again_at, { seconds: false }) }) : null;
        line = [el("b", {}, say(said.gone, { n: words.number(gone), at: time(sweep.gone_at) })), confirm ? " · " : null, confirm];
      } else line = [...(stand.state === "cancelled" ? [el("b", {}, said.states.cancelled), " · ", said.partial(gone, sweep.grants)] : [el("b", {}, said.partial(gone, sweep.grants))]), ...(sweep.look_again_at ? [" · ", say(said.second_due, { at: time(sweep.look_again_at, { seconds: false }) })] : [])];
      if (stand.state === "cancelled" && !sweep.policy?.overtaken) more.push(note("why", whyOpen(sweep)));
    }
    const { resume } = sweep;
    if (isOpen(sweep) && resume === "other_member") more.push(note("resume", words.sweep.resume_other));
    if (isOpen(sweep) && resume === "too_old") more.push(note("resume", words.sweep.resume_too_old));
    // With nobody signed in nothing is told of where one is: then only signing in helps, whichever sweep it is.
    const nobody = frame.session === null || frame.ended;
    if (isOpen(sweep) && resume === "elsewhere" && nobody && sweep.stand.state !== "session_ended") more.push(note("resume", words.sweep.resume_signed_out));
    if (isOpen(sweep) && resume === "elsewhere" && !nobody) more.push(note("resume", words.sweep.resume_elsewhere));
    if (sweep.listed_again > 0) more.push(note("listed_again", el("b", {}, said.again(sweep.listed_again, sweep.grants)), ". ", words.come_back.note));
    more.push(...drawPolicy(sweep));
    if (sweep.refused && sweep.policy?.overtaken !== true) {
      const { refused } = sweep;
      const why = el("button", { class: "lnk", type: "button", "data-test": "sweep-refused" }, words.grants.why_not);
      why.addEventListener("click", () => frame.tell(refused, { act: "session" }));
      more.push(note("refused", el("b", {}, tellRefusal(refused, { session: frame.session, act: "session" }).title), ". ", why));
    }
    const { tokens_until } = sweep;
    // The tokens of a grant whose revoke was answered outlive it as well, whether a read can show that it is gone or not.
    if (tokens_until && gone + counted(sweep, ["accepted"]) > 0) {
      const left = el("span", { class: "num", "data-test": "tokens-left" });
      const made = el("p", { class: "soft", "data-fact": "tokens_until" });
      everySecond(left, () => { left.textContent = until(tokens_until) > 0 ? `(${span(until(tokens_until))})` : ""; });
      put(made, say(until(tokens_until) > 0 ? said.tokens : said.tokens_past, { at: time(tokens_until, { seconds: false }), left }));
      more.push(made);
    }
    if (stand.state !== "running" && stand.state !== "elsewhere") more.push(el("p", { class: "soft", "data-fact": "head" }, say(said.head_line, { head: el("span", { class: "mono", title: sweep.head }, shortHead(sweep.head)) }), " ", copyButton(sweep.head, said.head)));
    put(slot(root, "now"), ...line);
    const key = more.map((one) => `${one.dataset.fact}${one.dataset.until ?? one.textContent}`).join("|");
    const place = slot(root, "more");
    // Drawn anew only when something else is to be said: whoever reads or selects it is not disturbed ten times a second.
    if (place.dataset.key !== key) {
      place.dataset.key = key;
      put(place, ...more);
    }
    const heard = words.sweep.live(`${words.sweep.states[stand.state]}${stand.state === "running" ? "" : `, ${sweep.grants === 0 ? sweepStand(sweep).short : said.partial(gone, sweep.grants)}`}`);
    if (heard !== told) {
      if (told !== "") announce(heard);
      told = heard;
    }
  }

  /** What leads from a sweep that was stopped for want of a permission to which one that is. @param {Sweep} sweep */
  function missingRole(sweep) {
    const { session } = frame;
    if (sweep.stand.state !== "halted" || sweep.stand.error_type !== NOT_THE_ROLES || !session || !sweep.here) return [];
    const why = el("button", { class: "lnk", type: "button", "data-test": "sweep-denied" }, words.plan.denied_more);
    why.addEventListener("click", () => {
      const needed = session.may.revoke_member_app;
      const dialog = openDialog();
      const telling = tellDenial(
        { action: needed.action, resource: needed.resource, your_roles: session.roles, roles_that_hold_it: needed.roles_that_hold_it, policy_read_at: session.policy_read_at, request_id: null, asked: false },
        { session, act: "session", close: () => dialog.close(), readPolicy: async () => { await frame.readPolicy(); dialog.close(); } },
        { refusal: "not_allowed" },
      );
      const { root: told, first } = paintTelling({ ...telling, lead: words.sweep.halted_roles });
      dialog.show(told, { stage: "told", ...telling.about }, first);
    });
    return [" ", why];
  }

  /** What was done to the policy, and what that means for the grants. @param {Sweep} sweep */
  function drawPolicy(sweep) {
    const { policy } = sweep;
    /** @type {HTMLElement[]} */
    const made = [];
    const said = words.sweep;
    if (policy) {
      const at = policy.at ? time(policy.at, { seconds: false }) : null;
      const request = policy.request_id ? el("span", { class: "soft" }, " · ", say(said.policy.request, { id: el("span", { class: "mono" }, named(policy.request_id, { limit: 120 })) })) : null;
      if (policy.overtaken) made.push(overtaken(sweep));
      else if (policy.theirs) {
        const ours = policy.lifted ? said.policy.theirs_lifted : policy.denied ? said.policy.theirs_denied : said.policy.theirs_overwritten;
        const read = policy.read_at ? time(policy.read_at, { seconds: false }) : "";
        made.push(el("p", { "data-fact": "policy", "data-policy": "theirs" }, el("b", {}, ours), " ", say(said.policy.theirs(policy.apps), { at: read }), request));
      }
      else if (policy.in_force) made.push(el("p", { "data-fact": "policy", "data-policy": "in_force" }, el("b", {}, at ? say(said.policy.in_force, { at }) : said.policy.in_force_plain), ` · ${said.policy.apps(policy.apps)}`, request));
      else if (policy.lifted) made.push(el("p", { "data-fact": "policy", "data-policy": "lifted" }, el("b", {}, at ? say(said.policy.lifted, { at }) : said.policy.lifted_plain), request));
      else if (policy.denied) made.push(policyNote("denied", said.policy.denied, said.policy.denied_next, request));
      else if (policy.unread) made.push(policyNote("unread", said.policy.unread, said.policy.unread_next, request));
      else if (sweep.stand.state === "running" && policy.at === null) made.push(el("p", { class: "soft", "data-fact": "policy", "data-policy": "waiting" }, sweep.unsent === sweep.grants ? said.policy.waiting : said.policy.later));
      else if (policy.can_consent_again) made.push(policyNote("not", said.policy.not, "", request));
    }
    const hides = policy?.in_force === true;
    const rests = sweep.stand.state === "done" || sweep.stand.state === "cancelled";
    const [accepted, hidden] = [counted(sweep, ["accepted"]), counted(sweep, ["hidden"])];
    // As long as it goes on, or will, they may simply not have been read again yet: that is what their rows say.
    if (hides && rests && accepted > 0) made.push(el("p", { class: "soft", "data-fact": "accepted" }, said.accepted_hidden(accepted)));
    if (hides && hidden > 0) made.push(note("hidden", said.hidden(hidden)));
    if (sweep.beside > 0) made.push(pairsNote("beside", said.beside(sweep.beside)));
    if (sweep.collateral) made.push(pairsNote("collateral", said.collateral(sweep.collateral)));
    if (sweep.unseen > 0) made.push(note("unseen", said.unseen(sweep.unseen)));
    if (sweep.returned > 0) {
      const line = pairsNote("returned", said.returned(sweep.returned));
      for (const key of /** @type {const} */ (["revoke-returned", "block-again"])) {
        const act = el("button", { class: "lnk", type: "button", "data-test": key }, key === "revoke-returned" ? words.lift.revoke_again(sweep.returned) : words.lift.block_again);
        act.disabled = !sweep.here || frame.session === null;
        act.addEventListener("click", async () => {
          try {
            returnedActs(frame, await sweepPairs(id, "returned"), () => {}).find((one) => one.key === key)?.run?.(act);
          } catch (thrown) {
            frame.tell(refusalOf(thrown), { act: "read" });
          }
        });
        line.append(" ", act);
      }
      made.push(line);
    }
    return made;
  }

  /** Somebody else was first: nothing was sent, and it has to be looked at anew. @param {Sweep} sweep */
  function overtaken(sweep) {
    const made = el("div", { class: "note", "data-fact": "policy", "data-policy": "overtaken" }, el("b", {}, words.sweep.policy.overtaken), " ", words.sweep.policy.overtaken_note);
    if (sweep.refused?.kind === "policy_changed") made.append(differences(sweep.refused.differs));
    const { app } = sweep;
    if (app && sweep.here && frame.session) {
      const again = el("button", { class: "lnk", type: "button", "data-test": "contain-again" }, words.acts.look_again);
      again.addEventListener("click", () => frame.contain({ kind: "apps", connected_app_ids: [app.connected_app_id] }, app.name));
      made.append(" ", again);
    }
    return made;
  }

  /** @param {string} key @param {string} lead @param {string} next @param {HTMLElement | null} request */
  function policyNote(key, lead, next, request) {
    const consent = key === "unread" ? "" : ` ${words.sweep.policy.consent}`;
    const made = note("policy", el("b", {}, lead), consent, next ? ` ${next}` : "", request);
    made.dataset.policy = key;
    return made;
  }

  /** @param {import("../contract.js").SweepPart} part @param {string} lead */
  function pairsNote(part, lead) {
    const show = el("button", { class: "lnk", type: "button", "data-test": `sweep-${part}` }, words.sweep.collateral_show);
    show.addEventListener("click", () => showPairs(frame, id, part));
    return note(part, el("b", {}, lead), ". ", show);
  }

  /** @param {string} key @param {string} sentence @param {string} at @param {string} after */
  function waiting(key, sentence, at, after) {
    const left = everySecond(el("span", { class: "num" }), (node) => { node.textContent = until(at) > 0 ? `(${countdown(until(at))})` : ""; });
    const made = note(key, say(sentence, { at: el("b", {}, clock(at)), left }), after ? ` ${after}` : "");
    made.dataset.until = at;
    return made;
  }

  /** @param {Sweep} sweep @param {SweepProgress | null} progress */
  function drawActs(sweep, progress) {
    const place = slot(root, "acts");
    const { state } = sweep.stand;
    const left = counted(sweep, AGAIN) + sweep.unsent;
    // What is still there may be listed again too: then how many they are together is told by the plan.
    const rest = left + sweep.listed_again;
    const again = sweep.listed_again === 0 ? words.sweep.retry(rest) : left === 0 ? words.sweep.retry(sweep.listed_again) : words.sweep.retry_listed;
    const resumes = isOpen(sweep) && sweep.resume === "yes";
    const keys = [];
    if (state === "running") keys.push("sweep-pause");
    if (resumes) keys.push("sweep-resume");
    if (isOpen(sweep) && sweep.resume !== "yes" && rest > 0 && sweep.here) keys.push("sweep-retry");
    if ((state === "done" || state === "cancelled") && rest > 0 && sweep.here) keys.push("sweep-retry");
    if (state === "running" || resumes) keys.push("sweep-cancel");
    if (sweep.policy?.liftable && state !== "running" && state !== "elsewhere" && sweep.here && frame.session) keys.push("sweep-lift");
    if (state !== "running") keys.push("sweep-export");
    const key = JSON.stringify([keys, rest, again, progress?.stopping === true]);
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    const { activeElement } = document;
    // A button that is pressed and then disabled lets the keyboard fall: it comes back to whatever takes its place.
    const held = activeElement !== null && place.contains(activeElement) || pressed && (activeElement === document.body || activeElement === slot(root, "title"));
    put(place, ...keys.map((name) => {
      const label = name === "sweep-pause" ? words.sweep.pause : name === "sweep-resume" ? words.sweep.go_on : name === "sweep-cancel" ? words.sweep.cancel : name === "sweep-lift" ? words.lift.button : name === "sweep-export" ? words.evidence.button : sweep.listed_again === 0 && (state === "cancelled" || isOpen(sweep)) ? words.sweep.new_plan(rest) : again;
      const made = el("button", { class: name === "sweep-resume" ? "b solid" : "b", type: "button", "data-test": name, disabled: name === "sweep-pause" && progress?.stopping === true }, label);
      made.addEventListener("click", () => act(name, made));
      return made;
    }));
    if (!held) return;
    // Never onto the one that ends it all.
    const next = place.querySelector('button:not(:disabled, [data-test="sweep-cancel"])');
    pressed = next === null;
    (next instanceof HTMLElement ? next : slot(root, "title")).focus();
  }

  /** @param {string} name @param {HTMLButtonElement} from */
  async function act(name, from) {
    pressed = true;
    try {
      if (name === "sweep-pause") {
        from.disabled = true;
        await ask("sweep_wish", { sweep_id: id, wish: "pause" });
      } else if (name === "sweep-resume") {
        from.disabled = true;
        await frame.resumeSweep(id);
      } else if (name === "sweep-retry") retryPlan(frame, id);
      else if (name === "sweep-lift") lift(frame, id);
      else if (name === "sweep-export") {
        from.disabled = true;
        await exportPack(frame, () => ask("evidence_export", { sweep_id: id }), { open: frame.sweeps.one(id)?.unsettled === true });
      }
      else cancel();
    } catch (thrown) {
      frame.tell(refusalOf(thrown), { act: "session" });
    }
    if (from.isConnected && name !== "sweep-pause") from.disabled = false;
  }

  function cancel() {
    const sweep = frame.sweeps.one(id);
    if (!sweep) return;
    const progress = frame.sweeps.running?.id === id ? frame.sweeps.running.progress : null;
    const dialog = openDialog();
    const content = clone("t-ask");
    slot(content, "title").textContent = words.sweep.cancel_title;
    slot(content, "lead").textContent = words.sweep.cancel_lead(progress ? Math.min(sweep.unsent, progress.to_send) : sweep.unsent);
    const keep = button(content, "keep");
    keep.textContent = words.sweep.cancel_keep;
    keep.addEventListener("click", () => dialog.close());
    const go = button(content, "go");
    go.textContent = words.sweep.cancel_go;
    go.addEventListener("click", async () => {
      dialog.close();
      try {
        await ask("sweep_wish", { sweep_id: id, wish: "cancel" });
        await frame.sweeps.look();
      } catch (thrown) {
        frame.tell(refusalOf(thrown), { act: "session" });
      }
    });
    dialog.show(content, { stage: "cancel-sweep" }, keep);
  }

  /** The filter by outcome is its legend too. @param {Sweep} sweep @param {SweepProgress | null} progress */
  function drawKinds(sweep, progress) {
    const place = slot(root, "kinds");
    const { since, open, unsent } = answers(sweep, progress);
    /** @type {Array<{ kind: Kind, of: string, n: number, label: string }>} */
    const all = BAR.map(({ kind, of }) => ({ kind: /** @type {Kind} */ (kind), of, n: kind === "unknown" ? open : counted(sweep, [/** @type {Outcome} */ (kind)]), label: words.outcome[/** @type {Outcome} */ (kind)].short }));
    all.push({ kind: "unsent", of: "rest", n: unsent, label: words.sweep.unsent });
    const shown = all.filter((one) => one.n > 0 || kinds.has(one.kind));
    const key = JSON.stringify([shown.map((one) => [one.kind, one.n]), [...kinds], since]);
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    const held = document.activeElement instanceof HTMLElement && place.contains(document.activeElement) ? document.activeElement.dataset.kind : undefined;
    put(place, ...shown.map((one) => {
      const made = el("button", { class: "kind num", type: "button", "data-test": "sweep-kind", "data-kind": one.kind, "data-of": one.of, "aria-pressed": String(kinds.has(one.kind)) }, el("i", { "data-of": one.of, "aria-hidden": "true" }), `${one.label} ${words.number(one.n)}`);
      made.addEventListener("click", () => {
        if (!kinds.delete(one.kind)) kinds.add(one.kind);
        draw();
        load();
      });
      return made;
    }), since > 0 ? el("span", { class: "kind num plain", "data-fact": "answered_since", "data-of": "sent" }, el("i", { "data-of": "sent", "aria-hidden": "true" }), `${words.sweep.answered} ${words.number(since)}`) : null);
    const back = held === undefined ? null : place.querySelector(`[data-kind="${held}"]`);
    if (back instanceof HTMLElement) back.focus();
  }

  const ends = frame.sweeps.listen((what) => {
    if (!root.isConnected) return;
    draw();
    if (what === "list" && Date.now() - rowsAt >= ROWS_EVERY || what === "list" && frame.sweeps.running?.id !== id) load();
  });
  draw();
  load();

  return {
    root,
    rows,
    filter: text,
    close: ends,
    focus: () => slot(root, "title").focus(),
    refresh: () => { frame.sweeps.look().catch((thrown) => frame.tell(refusalOf(thrown), { act: "read" })); load(); },
  };
}
