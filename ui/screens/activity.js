// Activity: what was revoked here, one by one and in sweeps of many, and what became of it; what is not settled comes first.

import { ask } from "../bridge.js";
import { browse } from "../elements/browse.js";
import { outcomeLine, placed, reportId } from "../elements/outcome.js";
import { putMark } from "../elements/telling.js";
import { el, put, say, slot } from "../lib/dom.js";
import { memberName, named } from "../lib/text.js";
import { isOpen } from "../lib/sweeps.js";
import { clock } from "../lib/time.js";
import { words } from "../words/en.js";
import { blockShort, sweepScreen, sweepStand, sweepTitle } from "./sweep.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").RevokeReport} RevokeReport */
/** @typedef {import("../contract.js").Sweep} Sweep */

/**
 * First those that are unsettled and can be settled from here, then the newest.
 * @param {RevokeReport[]} reports
 */
export function ordered(reports) {
  /** @param {RevokeReport} report */
  const settled = (report) => Number(!(report.unsettled && report.here));
  return [...reports].sort((a, b) => settled(a) - settled(b) || b.began_at.localeCompare(a.began_at));
}

/** A revoke, or a sweep of many. @typedef {{ id: string, began: string, open: boolean, report?: RevokeReport, sweep?: Sweep }} Entry */

/**
 * @param {Frame} frame
 * @returns {import("./frame.js").View}
 */
export function activity(frame) {
  /** @type {Entry[]} */
  let all = [];
  let readAt = "";
  const root = el("div", { class: "content-in" });
  /** The sweep that is looked at, in the place of the list. @type {ReturnType<typeof sweepScreen> | null} */
  let shown = null;
  const screen = browse(frame, {
    key: "activity",
    title: words.activity.title,
    label: words.activity.list,
    columns: "t-activity-columns",
    template: "t-activity-row",
    summary: words.activity.summary,
    none: { title: words.activity.none, next: words.activity.none_next },
    fetch: async ({ offset, count }) => {
      if (offset === 0 || readAt === "") {
        const [reports] = await Promise.all([ask("revoke_list", {}), frame.sweeps.look()]);
        all = entries(reports, frame.sweeps.all);
        readAt = new Date().toISOString();
        frame.revokesSeen(reports);
      }
      return { rows: all.slice(offset, offset + count), matching: all.length, total: all.length, unreadable: [], read_at: readAt };
    },
    id: (entry) => entry.id,
    paint: (node, entry) => {
      if (entry.sweep) paintSweep(node, entry.sweep);
      else if (entry.report) paintReport(node, entry.report);
    },
    onOpen: (entry) => {
      if (entry.sweep) open(entry.sweep.sweep_id);
      else if (entry.report) frame.showReport(entry.report, { after: () => { screen.rows.pick(null); screen.rows.focus(); } });
    },
  });

  /** @param {HTMLElement} node @param {RevokeReport} report */
  function paintReport(node, report) {
    const { mark, short, facts } = outcomeLine(report);
    put(
      slot(node, "what"),
      say(words.activity.line, { app: named(report.app.name, { strong: true, limit: 80 }), member: named(memberName(report.member), { limit: 80 }) }),
      report.unsettled ? el("span", { class: "tag warn" }, words.activity.unsettled) : null,
    );
    put(slot(node, "facts"), ...(report.here ? [] : [el("span", { "data-fact": "elsewhere" }, placed(report)), " · "]), facts);
    putMark(slot(node, "mark"), mark);
    slot(node, "outcome").textContent = short;
    put(slot(node, "when"), clock(report.began_at));
    node.dataset.outcome = report.outcome;
    node.dataset.again = String(report.listed_again_at !== null);
    delete node.dataset.state;
  }

  /** @param {HTMLElement} node @param {Sweep} sweep */
  function paintSweep(node, sweep) {
    const { mark, short } = sweepStand(sweep);
    const tag = sweep.grants > 0 && (sweep.app || sweep.member) ? el("span", { class: "tag num" }, words.activity.many(sweep.grants)) : null;
    put(slot(node, "what"), sweepTitle(sweep), tag, isOpen(sweep) ? el("span", { class: "tag warn" }, words.activity.unsettled) : null);
    // A containment is two things, and one may have come to nothing: whoever sees only that all is revoked believes the app blocked.
    const block = sweep.grants > 0 && sweep.policy && !["running", "elsewhere"].includes(sweep.stand.state) ? blockShort(sweep.policy) : null;
    const counts = sweep.outcomes.map((one) => `${words.outcome[one.outcome].short} ${words.number(one.grants)}`);
    if (sweep.unsent > 0) counts.push(words.sweep.not_sent(sweep.unsent));
    put(slot(node, "facts"), ...(sweep.here ? [] : [el("span", { "data-fact": "elsewhere" }, placed(sweep)), " · "]), ...(block ? [el("span", { class: sweep.policy?.in_force ? "" : "warn", "data-fact": "block" }, block), " · "] : []), counts.join(" · "));
    putMark(slot(node, "mark"), mark);
    slot(node, "outcome").textContent = short;
    put(slot(node, "when"), clock(sweep.began_at));
    node.dataset.state = sweep.stand.state;
    node.dataset.again = String(sweep.listed_again > 0);
    delete node.dataset.outcome;
  }

  /** @param {string} id */
  function open(id) {
    shown?.close();
    shown = sweepScreen(frame, id, close);
    put(root, shown.root);
    shown.focus();
  }

  function close() {
    if (!shown) return false;
    const id = shown.root.dataset.id;
    shown.close();
    shown = null;
    put(root, screen.root);
    screen.rows.load().then(() => {
      const at = all.findIndex((entry) => entry.id === id);
      if (at >= 0) screen.rows.moveTo(at);
      screen.enter();
    });
    return true;
  }

  put(root, screen.root);
  frame.sweeps.listen((what) => { if (what === "list" && !shown && screen.root.isConnected && readAt !== "") renew(); });

  /** What is shown of sweeps is drawn anew; the order stays until the list is read again. */
  function renew() {
    const known = new Set(all.map((entry) => entry.id));
    if (frame.sweeps.all.some((sweep) => !known.has(sweep.sweep_id))) { screen.rows.load(); return; }
    all = all.map((entry) => (entry.sweep ? { ...entry, sweep: frame.sweeps.one(entry.id) ?? entry.sweep } : entry));
    for (const [chunk, rows] of screen.rows.chunks) screen.rows.chunks.set(chunk, rows.map((_, n) => all[chunk * 100 + n] ?? rows[n]).filter((one) => one !== undefined));
    for (const [index, node] of screen.rows.nodes) {
      const entry = all[index];
      if (entry?.sweep) paintSweep(node, entry.sweep);
    }
  }

  return {
    root,
    enter: () => {
      if (shown) shown.focus();
      else screen.enter();
    },
    load: () => screen.rows.load(),
    reload: () => {
      if (shown) shown.refresh();
      else screen.rows.load();
    },
    refresh: () => {
      if (shown) shown.refresh();
      else screen.rows.load({ reread: true });
    },
    escape: close,
    openRow: async (id) => { open(id); },
  };
}

/**
 * Revokes and sweeps in one list: first what is open and can be settled from here, then the newest.
 * @param {RevokeReport[]} reports
 * @param {Sweep[]} sweeps
 * @returns {Entry[]}
 */
function entries(reports, sweeps) {
  /** @type {Entry[]} */
  const all = [
    ...ordered(reports).map((report) => ({ id: reportId(report), began: report.began_at, open: report.unsettled && report.here, report })),
    ...sweeps.map((sweep) => ({ id: sweep.sweep_id, began: sweep.began_at, open: sweep.here && (isOpen(sweep) || sweep.stand.state === "running"), sweep })),
  ];
  return all.sort((a, b) => Number(b.open) - Number(a.open) || b.began.localeCompare(a.began));
}
