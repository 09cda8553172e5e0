// Activity: what was revoked here and what became of it; what is not settled comes first.

import { ask } from "../bridge.js";
import { browse } from "../elements/browse.js";
import { outcomeLine, placed, reportId } from "../elements/outcome.js";
import { putMark } from "../elements/telling.js";
import { el, put, say, slot } from "../lib/dom.js";
import { memberName, named } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").RevokeReport} RevokeReport */

/**
 * First those that are unsettled and can be settled from here, then the newest.
 * @param {RevokeReport[]} reports
 */
export function ordered(reports) {
  /** @param {RevokeReport} report */
  const settled = (report) => Number(!(report.unsettled && report.here));
  return [...reports].sort((a, b) => settled(a) - settled(b) || b.began_at.localeCompare(a.began_at));
}

/**
 * @param {Frame} frame
 * @returns {import("./frame.js").View}
 */
export function activity(frame) {
  /** @type {RevokeReport[]} */
  let all = [];
  let readAt = "";
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
        all = ordered(await ask("revoke_list", {}));
        readAt = new Date().toISOString();
        frame.revokesSeen(all);
      }
      return { rows: all.slice(offset, offset + count), matching: all.length, total: all.length, unreadable: [], read_at: readAt };
    },
    id: reportId,
    paint: (node, report) => {
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
    },
    onOpen: (report) => frame.showReport(report, { after: () => { screen.rows.pick(null); screen.rows.focus(); } }),
  });
  return {
    root: screen.root,
    enter: screen.enter,
    load: () => screen.rows.load(),
    reload: () => { screen.rows.load(); },
    refresh: () => { screen.rows.load({ reread: true }); },
  };
}
