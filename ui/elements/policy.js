// The organization's policy on connected apps in words: what it says, what it would say, and what somebody changed in it.
// It compares nothing and decides nothing.

import { el } from "../lib/dom.js";
import { named, visible } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("../contract.js").PolicyPart} PolicyPart */
/** @typedef {import("../contract.js").PolicyDifference} PolicyDifference */

/** Apps of a difference that are named one by one. */
const NAMED = 6;

/** What a word of the policy means. @param {string} word @param {number | null} listed how many are on its list, if known */
function wordWords(word, listed) {
  const said = words.policy.words;
  switch (word) {
    case "ALL_ALLOWED": return said.ALL_ALLOWED;
    case "RESTRICTED": return listed === null ? said.RESTRICTED_SOME : said.RESTRICTED(listed);
    case "NOT_ALLOWED": return said.NOT_ALLOWED;
    default: return said.other.replace("{word}", () => visible(word, 40));
  }
}

/** What a part of it says. @param {PolicyPart} part */
export const partWords = (part) => wordWords(part.word, part.listed);

/**
 * What would change, a line for each kind of apps that does.
 * @param {PolicyPart[]} before
 * @param {PolicyPart[]} after
 * @returns {HTMLElement[]}
 */
export function changeLines(before, after) {
  return before.flatMap((from) => {
    const to = after.find((part) => part.kind === from.kind);
    if (!to || (from.word === to.word && (from.listed === to.listed || from.word !== "RESTRICTED"))) return [];
    return [el(
      "p",
      { class: "policy-line", "data-fact": `policy_${from.kind}` },
      el("span", {}, words.policy.kinds[from.kind]),
      el("span", {}, el("del", {}, partWords(from)), el("span", { "aria-hidden": "true" }, " → "), el("span", { class: "unseen" }, ` ${words.policy.then}: `), el("ins", {}, partWords(to))),
    )];
  });
}

/**
 * A policy under a heading.
 * @param {string} key
 * @param {string} heading
 * @param {PolicyPart[]} policy
 * @param {boolean} [meant] what would come of it
 */
export function policySide(key, heading, policy, meant = false) {
  return el(
    "div",
    { class: meant ? "side-of meant" : "side-of", "data-fact": `policy_${key}` },
    el("b", {}, heading),
    ...policy.map((part) => el("span", {}, el("small", {}, `${words.policy.kinds[part.kind]}: `), partWords(part))),
  );
}

/** @param {import("../contract.js").AppFace[]} faces @param {number} total */
function listed(faces, total) {
  const shown = faces.slice(0, NAMED).map((app) => visible(app.name.trim() || app.connected_app_id, 60)).join(", ");
  return total > NAMED ? `${shown} ${words.policy.differs.more(total - Math.min(NAMED, faces.length))}` : shown;
}

/**
 * What somebody changed, or what a change would do.
 * @param {PolicyDifference[]} differs
 * @returns {HTMLElement}
 */
export function differences(differs) {
  const said = words.policy.differs;
  return el("ul", { class: "differs", "data-test": "differs" }, ...differs.flatMap((one) => {
    const kind = words.policy.kinds[one.kind];
    const lines = [];
    if (one.word_from !== null && one.word_to !== null) lines.push(said.word.replace("{kind}", kind).replace("{was}", () => wordWords(one.word_from ?? "", null)).replace("{is}", () => wordWords(one.word_to ?? "", null)));
    if (one.added_total > 0) lines.push(`${kind}: ${said.added(one.added_total)}: ${listed(one.added, one.added_total)}`);
    if (one.removed_total > 0) lines.push(`${kind}: ${said.removed(one.removed_total)}: ${listed(one.removed, one.removed_total)}`);
    return lines.map((line) => el("li", {}, line));
  }));
}

/** An app in a list of apps: its name, and the end of its id. @param {import("../contract.js").AppFace} app */
export const appName = (app) => named(app.name, { strong: true, limit: 80 });
