// The grants of one member, or of one app: each with its scopes and a button to revoke it, or the reason why not.

import { clone, button, el, input, put, slot } from "../lib/dom.js";
import { idTail, memberName, named, visible } from "../lib/text.js";
import { words } from "../words/en.js";
import { refusedPanel, stalePut } from "./browse.js";
import { changeMark, seenSentence, widthTag } from "./facts_of.js";
import { Rows } from "./rows.js";

/** @typedef {import("../contract.js").MemberFace} MemberFace */
/** @typedef {import("../contract.js").Allowance} Allowance */
/** @typedef {import("../screens/frame.js").Frame} Frame */
/** @typedef {import("../contract.js").GrantRow} GrantRow */
/** A grant, with as much of the inventory's as is known. @typedef {Pick<GrantRow, "member" | "app" | "scopes"> & Partial<GrantRow>} Grant */

/**
 * @template P
 * @typedef {object} Plan
 * @property {"member" | "app"} of whose grants these are
 * @property {string} id of the one whose grants these are
 * @property {string} title
 * @property {string} heading
 * @property {string | null} filter the placeholder; `null`: no filter
 * @property {(n: number) => string} counted
 * @property {string} none
 * @property {(window: import("./rows.js").Window) => Promise<P & import("./rows.js").Page<Grant>>} fetch
 * @property {(sheet: HTMLElement, page: P & import("./rows.js").Page<Grant>) => void} onPage fills in the facts
 * @property {(page: P & import("./rows.js").Page<Grant>) => number | null} [height] of a row, when it is not the usual one
 * @property {() => void} back
 * @property {boolean} [clients] the grants are of several clients of one name: each row tells which
 * @property {() => unknown} [reread] reads again elsewhere than in this list
 */

/** Of a row, in CSS pixels. */
const HEIGHT = 54;

/**
 * May this grant be revoked by the one who is signed in? `null`: nobody is.
 * @param {Frame} frame
 * @param {MemberFace} member
 * @returns {Allowance | null}
 */
function allowance(frame, member) {
  const may = frame.session?.may;
  if (!may) return null;
  return member.yourself ? may.revoke_own_app : may.revoke_member_app;
}

/**
 * Why a grant cannot be revoked, in one line. Without a policy, an empty list of roles says nothing.
 * @param {Allowance} needed
 * @param {string | null} policyReadAt
 */
export function reasonWords(needed, policyReadAt) {
  const none = needed.roles_that_hold_it.length === 0;
  const roles = none ? words.unknown_value : needed.roles_that_hold_it.map((role) => visible(role, 80)).join(", ");
  return (none && policyReadAt !== null ? words.grants.reason_none : words.grants.reason)
    .replace("{action}", () => visible(needed.action, 80)).replace("{resource}", () => visible(needed.resource, 80)).replace("{roles}", () => roles);
}

/**
 * The name at the head of a sheet, whole; a very long one scrolls, so the keyboard has to reach it.
 * @param {HTMLElement} sheet
 * @param {string} name
 */
export function titled(sheet, name) {
  const place = slot(sheet, "title");
  put(place, named(name, { limit: 10_000, title: false }));
  place.tabIndex = name.length > 120 ? 0 : -1;
}

/**
 * A sheet with the grants.
 * @template P
 * @param {Frame} frame
 * @param {Plan<P>} plan
 * @returns {{ root: HTMLElement, rows: Rows<Grant, P & import("./rows.js").Page<Grant>>, focus: () => void }}
 */
export function grants(frame, plan) {
  const sheet = clone("t-detail");
  sheet.dataset.test = `detail-${plan.of}`;
  sheet.dataset.id = plan.id;
  titled(sheet, plan.title);
  slot(sheet, "heading").textContent = plan.heading;
  const strip = slot(sheet, "strip");
  const reason = slot(sheet, "reason");
  const reasonId = `reason-${plan.of}`;
  reason.id = reasonId;
  const retry = () => (plan.reread ? plan.reread() : rows.load({ reread: true }));

  /** @type {Rows<Grant, P & import("./rows.js").Page<Grant>>} */
  const rows = new Rows({
    label: plan.heading,
    manner: "list",
    height: HEIGHT,
    template: "t-grant-row",
    fetch: plan.fetch,
    id: (grant) => (plan.of === "member" ? grant.app.connected_app_id : plan.clients ? `${grant.member.member_id}\n${grant.app.connected_app_id}` : grant.member.member_id),
    paint,
    onPage: (page) => {
      rows.resize(plan.height?.(page) ?? HEIGHT);
      slot(sheet, "count").textContent = rows.filter === "" ? plan.counted(page.total) : words.lists.matching(page.matching, page.total);
      plan.onPage(sheet, page);
      say_why(page.rows);
    },
    empty: (page, filter) => el("div", { class: "blankness", "data-test": "empty" }, el("p", {}, filter !== "" && page.total > 0 ? words.lists.no_match.replace("{filter}", visible(filter, 80)) : plan.none)),
    refused: (refusal) => refusedPanel(frame, refusal, retry),
    stale: (refusal, readAt) => stalePut(frame, strip, refusal, readAt, retry),
  });
  slot(sheet, "under").replaceWith(rows.root);

  /** The reason stands once above the rows, and belongs to each disabled button. @param {Grant[]} shown */
  function say_why(shown) {
    const refused = shown.map((grant) => allowance(frame, grant.member)).find((needed) => needed === null || needed.allowed === false);
    reason.hidden = refused === undefined;
    reason.textContent = refused === undefined ? "" : refused === null ? frame.whyReadOnly() : `${reasonWords(refused, frame.session?.policy_read_at ?? null)}.`;
  }

  /** @param {HTMLElement} node @param {Grant} grant */
  function paint(node, grant) {
    const who = memberName(grant.member);
    if (plan.of === "member") {
      put(slot(node, "name"), named(grant.app.name, { strong: true }), grant.app.first_party ? el("span", { class: "tag" }, words.apps.types.first_party) : null);
    } else {
      const nameless = !grant.member.name && !grant.member.email;
      node.classList.toggle("by-id", nameless);
      put(slot(node, "name"), nameless ? el("span", { class: "mono", title: visible(who) }, named(who, { title: false })) : named(who, { strong: true }), grant.member.yourself ? el("span", { class: "tag" }, words.you) : null);
    }
    if (grant.change) slot(node, "name").append(" ", changeMark(grant.change, grant.scopes_before ?? null) ?? "");
    // Two members may have one name. The address stands last, so that nothing else is cut for it.
    if (plan.of === "app" && grant.member.name && grant.member.email) slot(node, "name").append(el("small", { class: "soft" }, " ", named(grant.member.email, { limit: 120 })));
    put(slot(node, "tail"), grant.width ? widthTag(grant.width) : null, plan.of === "member" || plan.clients ? idTail(grant.app.connected_app_id) : null);
    const scopes = slot(node, "scopes");
    // The scope that gave the width stands first, so that the tag before it explains itself.
    const rated = grant.width?.scope;
    const listed = rated && grant.scopes.includes(rated) ? [rated, ...grant.scopes.filter((scope) => scope !== rated)] : grant.scopes;
    put(scopes, listed.length > 0 ? named(listed.join(" "), { limit: 400 }) : words.grants.no_scopes);
    if (grant.first_seen) scopes.title = `${visible(listed.join(" "), 300)} · ${seenSentence(grant.first_seen).textContent}`;
    else scopes.removeAttribute("title");
    scopes.dataset.fact = "scopes";
    const needed = allowance(frame, grant.member);
    const act = el("button", { class: "b small act", type: "button", "data-test": "revoke", "aria-label": words.grants.revoke_label(visible(grant.app.name, 80), visible(who, 80)) }, words.grants.revoke);
    if (needed === null) {
      act.disabled = true;
      act.title = frame.whyReadOnly();
      act.setAttribute("aria-describedby", reasonId);
      put(slot(node, "do"), act);
    } else if (needed.allowed === false) {
      act.disabled = true;
      act.title = reasonWords(needed, frame.session?.policy_read_at ?? null);
      act.setAttribute("aria-describedby", reasonId);
      const why = el("button", { class: "lnk", type: "button", "data-test": "why-not", title: reasonWords(needed, frame.session?.policy_read_at ?? null), "aria-label": words.grants.why_not_label(visible(grant.app.name, 80), visible(who, 80)) }, words.grants.why_not);
      why.addEventListener("click", () => revoke(why, grant));
      put(slot(node, "do"), why, act);
    } else {
      act.addEventListener("click", () => revoke(act, grant));
      put(slot(node, "do"), act);
    }
  }

  /** @param {HTMLButtonElement} from @param {Grant} grant */
  function revoke(from, grant) {
    const index = Number(from.closest("[data-index]")?.getAttribute("data-index") ?? 0);
    frame.revoke({ member: grant.member, app: grant.app }, {
      // The row may be gone afterwards: then the keyboard goes to the row in its place, or back to the list.
      after: async (changed) => {
        if (changed) await rows.load({ reread: true });
        if (!sheet.isConnected) return;
        rows.here = Math.min(index, Math.max(0, rows.length - 1));
        rows.draw();
        if (document.querySelector("dialog[open]")) return;
        if (!rows.focus()) slot(sheet, "title").focus();
      },
    });
  }

  if (plan.filter !== null) {
    slot(sheet, "search").hidden = false;
    const filter = input(sheet, "filter");
    filter.placeholder = plan.filter;
    filter.setAttribute("aria-label", plan.filter);
    let resting = 0;
    filter.addEventListener("input", () => {
      clearTimeout(resting);
      resting = window.setTimeout(() => rows.load({ filter: filter.value.trim() }), 110);
    });
    filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        rows.focus();
      } else if (event.key === "Escape" && filter.value !== "") {
        event.preventDefault();
        event.stopPropagation();
        filter.value = "";
        rows.load({ filter: "" });
      }
    });
  }
  button(sheet, "back").addEventListener("click", () => plan.back());
  const again = button(sheet, "again");
  again.disabled = frame.session === null;
  again.addEventListener("click", retry);

  return {
    root: sheet,
    rows,
    focus: () => { if (!rows.focus()) slot(sheet, "title").focus(); },
  };
}

/**
 * Puts acts on everything that a detail shows above its list. The keyboard stays on one that is drawn anew.
 * @param {HTMLElement} sheet
 * @param {...HTMLButtonElement} acts
 */
export function actsPut(sheet, ...acts) {
  const place = slot(sheet, "acts");
  const held = document.activeElement instanceof HTMLElement && place.contains(document.activeElement) ? document.activeElement.dataset.test : undefined;
  put(place, ...acts);
  place.hidden = acts.length === 0;
  const again = held === undefined ? null : place.querySelector(`[data-test="${held}"]`);
  if (again instanceof HTMLElement) again.focus();
}
