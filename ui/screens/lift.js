// The lifting of a block: what the policy would be, what somebody has changed since, and what came back once it was lifted.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { lacking, tellDenial, tellRefusal } from "../elements/outcome.js";
import { differences, policySide } from "../elements/policy.js";
import { note, paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, group, put, say, slot } from "../lib/dom.js";
import { memberName, named, visible } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").AppFace} AppFace */
/** @typedef {import("../contract.js").LiftLook} LiftLook */
/** @typedef {import("../contract.js").Lifted} Lifted */
/** @typedef {import("../contract.js").FacePair} FacePair */
/** @typedef {import("../elements/telling.js").Telling} Telling */
/** @typedef {import("../elements/telling.js").Act} Act */

/** Grants named one by one. */
const NAMED = 200;
/** Apps that become free, named one by one. */
const NAMED_APPS = 6;
/** Grants asked for at once. */
const WINDOW = 1000;

/** Looks at what lifting the block of a sweep would be, and asks. @param {Frame} frame @param {string} sweepId */
export async function lift(frame, sweepId) {
  const dialog = openDialog();
  /** @type {import("../elements/outcome.js").Around} */
  const around = {
    session: frame.session,
    act: "session",
    close: () => dialog.close(),
    retry: () => lift(frame, sweepId),
    revokeAgain: () => lift(frame, sweepId),
    signIn: () => { dialog.close(null); frame.signInAgain(null); },
    showSweep: (id) => { dialog.close(null); frame.openSweep(id); },
  };
  /** @param {Telling} telling */
  const show = (telling) => {
    const { root, first } = paintTelling(telling);
    // An Enter that is still held from before must not lift anything.
    const harmless = root.querySelector('[data-test="cancel"]');
    dialog.show(root, { stage: "told", ...telling.about }, harmless instanceof HTMLElement ? harmless : first);
  };
  wait(dialog, words.lift.looking, true);
  try {
    const look = await ask("lift_look", { sweep_id: sweepId });
    const known = await appsOf(frame, sweepId);
    if (dialog.open()) ask_(look, known);
  } catch (thrown) {
    if (dialog.open()) show(tellRefusal(refusalOf(thrown), around));
  }

  /** @param {LiftLook} look @param {Map<string, AppFace>} known */
  function ask_(look, known) {
    const said = words.lift;
    const organization = visible(look.organization_name, 60);
    const sweep = frame.sweeps.one(sweepId);
    // An app that the policy hides is in no list: its name is that of the sweep's own grants.
    const called = (/** @type {import("../contract.js").PolicyDifference} */ one) => ({ ...one, added: one.added.map((app) => (app.name.trim() === "" ? known.get(app.connected_app_id) ?? app : app)) });
    const changes = look.changes.map(called);
    const added = changes.flatMap((one) => one.added);
    const wholly = look.way === "exact" || changes.some((one) => one.word_to === "ALL_ALLOWED");
    const free = wholly ? sweep?.policy?.apps ?? 0 : changes.reduce((sum, one) => sum + one.added_total, 0);
    const names = (!wholly ? added : known.size > free ? [] : [...known.values()]).slice(0, Math.min(NAMED_APPS, free)).map((app) => visible(app.name.trim() || app.connected_app_id, 60));
    const same = JSON.stringify(look.now) === JSON.stringify(look.to);
    /** @type {import("../lib/dom.js").Piece[]} */
    const notes = [];
    if (look.block_denied) {
      const { block_denied } = look;
      const why = el("button", { class: "lnk", type: "button", "data-test": "lift-denied" }, words.plan.denied_more);
      why.addEventListener("click", () => show(tellDenial(block_denied, around, { refusal: "not_allowed" })));
      notes.push(note("block_denied", ...lacking(words.contain.denied, block_denied), " ", said.denied_note, " ", why));
    }
    if (look.way === "changed") notes.push(el("div", { class: "note", "data-fact": "differs" }, el("b", {}, said.changed), differences(look.differs), same ? said.changed_nothing : said.changed_merge));
    const sides = look.way === "changed" ? [policySide("before", said.columns.before, look.before), policySide("after", said.columns.after, look.after), policySide("now", said.columns.now, look.now), policySide("then", said.columns.then, look.to, true)] : [policySide("now", said.columns.now, look.now), policySide("then", said.columns.then, look.to, true)];
    if (look.way !== "nothing") notes.push(el("div", { class: "sides" }, ...sides));
    // Where one word takes another's place, the two sides say it; which apps a list gains or loses they do not.
    const listed = look.changes.some((one) => one.added_total + one.removed_total > 0);
    if (!same && (listed || (look.way !== "exact" && look.changes.length > 0))) notes.push(el("div", { class: "soft", "data-fact": "changes" }, said.would, differences(changes)));
    if (look.beside.length > 0) {
      const shows = look.beside.map((id) => {
        const made = el("button", { class: "lnk", type: "button", "data-test": "lift-beside" }, said.beside_show);
        made.addEventListener("click", () => { dialog.close(null); frame.openSweep(id); });
        return group(" ", made);
      });
      notes.push(note("beside", el("b", {}, said.beside(look.beside.length)), " ", said.beside_note, ...shows.slice(0, 3)));
    }
    if (look.hidden > 0) notes.push(note("hidden", el("b", {}, said.hidden(look.hidden)), " ", said.hidden_note));
    if (look.not_attempted > 0) notes.push(note("not-attempted", el("b", {}, said.not_attempted(look.not_attempted)), " ", said.not_attempted_note));
    if (look.accepted > 0) notes.push(el("p", { class: "soft", "data-fact": "accepted" }, said.accepted(look.accepted)));
    notes.push(el("p", { class: "soft" }, same ? said.reread : `${free > 0 ? `${said.after(names, free)} ` : ""}${said.reread}`));
    show({
      about: { lift: look.way },
      mark: look.way === "changed" ? "trouble" : "note",
      title: names.length === 1 && free === 1 ? said.title_of.replace("{what}", () => names[0] ?? "") : free > 0 ? said.title_of.replace("{what}", words.plan.apps(free)) : said.title,
      lead: look.way === "exact" ? said.exact : look.way === "nothing" ? said.nothing : same ? said.changed_nothing : said.changed_lead,
      facts: [],
      notes,
      acts: [
        { key: "cancel", label: words.cancel, run: () => dialog.close() },
        { key: "lift-go", label: same ? said.confirm_read : look.way === "changed" ? said.confirm_over(free, organization) : said.confirm(free, organization), style: "solid", run: () => go(look.way === "changed") },
      ],
    });
  }

  /** @param {boolean} over */
  async function go(over) {
    dialog.lock(true);
    wait(dialog, words.lift.lifting, false);
    try {
      const lifted = await ask("lift", { sweep_id: sweepId, over_changes: over });
      frame.sweeps.adopt(lifted.sweep);
      const returned = lifted.sweep.returned > 0 ? await sweepPairs(sweepId, "returned") : [];
      dialog.lock(false);
      if (dialog.open()) show(done(lifted, returned));
    } catch (thrown) {
      dialog.lock(false);
      if (dialog.open()) show(tellRefusal(refusalOf(thrown), around));
    }
    frame.sweeps.look().catch(() => {});
  }

  /** @param {Lifted} lifted @param {FacePair[]} returned @returns {Telling} */
  function done(lifted, returned) {
    const said = words.lift;
    const title = lifted.not_lifted ? said.not : lifted.nothing_to_lift ? said.done_nothing : said.done;
    const notes = lifted.not_lifted ? [] : [returned.length > 0 ? el("div", { "data-fact": "returned" }, el("b", {}, said.returned(returned.length)), el("p", { class: "soft" }, said.returned_lead), pairList(returned)) : el("p", { "data-fact": "returned" }, said.returned_none)];
    announce(`${title}. ${returned.length > 0 ? said.returned(returned.length) : ""}`);
    return {
      about: { outcome: lifted.not_lifted ? "not_lifted" : "lifted" },
      mark: lifted.not_lifted ? "trouble" : returned.length > 0 ? "wait" : "gone",
      title,
      lead: lifted.not_lifted ? said.not_lead : lifted.nothing_to_lift ? said.done_nothing_lead : said.done_lead,
      facts: [],
      notes,
      acts: [
        ...(lifted.not_lifted ? [{ key: "look-again", label: words.acts.look_again, run: () => lift(frame, sweepId) }] : returnedActs(frame, returned, () => dialog.close(null))),
        { key: "close", label: words.close, style: /** @type {const} */ ("solid"), run: () => dialog.close() },
      ],
    };
  }
}

/**
 * The apps that a sweep's grants are of, by id, with the names they had then.
 * @param {Frame} frame
 * @param {string} sweepId
 * @returns {Promise<Map<string, AppFace>>}
 */
async function appsOf(frame, sweepId) {
  const sweep = frame.sweeps.one(sweepId);
  /** @type {Map<string, AppFace>} */
  const found = new Map(sweep?.app ? [[sweep.app.connected_app_id, sweep.app]] : []);
  for (let offset = 0; sweep && found.size < sweep.apps; offset += WINDOW) {
    const page = await ask("sweep_grants", { sweep_id: sweepId, query: { outcomes: [], unsent: false, text: "", offset, count: WINDOW } });
    for (const { app } of page.rows) if (!found.has(app.connected_app_id)) found.set(app.connected_app_id, app);
    if (page.rows.length === 0) break;
  }
  return found;
}

/**
 * Says what is waited for.
 * @param {import("../elements/dialog.js").Dialog} dialog
 * @param {string} said
 * @param {boolean} leave whether it may be left
 */
function wait(dialog, said, leave) {
  const root = clone("t-planning");
  put(/** @type {HTMLElement} */ (root.querySelector("h2")), words.lift.title);
  slot(root, "said").textContent = said;
  const cancel = button(root, "cancel");
  cancel.hidden = !leave;
  cancel.addEventListener("click", () => dialog.close());
  dialog.show(root, { stage: "planning" }, leave ? cancel : null);
}

/** What can be done about grants that returned. @param {Frame} frame @param {FacePair[]} pairs @param {() => void} leave @returns {Act[]} */
export function returnedActs(frame, pairs, leave) {
  if (pairs.length === 0) return [];
  const apps = [...new Set(pairs.map((pair) => pair.app.connected_app_id))];
  const [only] = pairs;
  return [
    { key: "revoke-returned", label: words.lift.revoke_again(pairs.length), run: () => { leave(); frame.plan({ kind: "pairs", pairs: pairs.map((pair) => ({ member_id: pair.member.member_id, connected_app_id: pair.app.connected_app_id })) }); } },
    { key: "block-again", label: words.lift.block_again, run: () => { leave(); frame.contain({ kind: "apps", connected_app_ids: apps }, apps.length === 1 && only ? only.app.name : null); } },
  ];
}

/** All grants of a part beside a sweep's outcomes. @param {string} sweepId @param {import("../contract.js").SweepPart} part @returns {Promise<FacePair[]>} */
export async function sweepPairs(sweepId, part) {
  /** @type {FacePair[]} */
  const all = [];
  for (;;) {
    const page = await ask("sweep_pairs", { sweep_id: sweepId, part, offset: all.length, count: WINDOW });
    all.push(...page.rows);
    if (page.rows.length === 0 || all.length >= page.total) return all;
  }
}

/** Grants by name, as many as can be looked through. @param {FacePair[]} pairs */
function pairList(pairs) {
  return el(
    "ul",
    { class: "returned", "data-test": "pairs", tabindex: pairs.length > 6 ? "0" : null },
    ...pairs.slice(0, NAMED).map((pair) => el("li", {}, say(words.activity.line, { app: named(pair.app.name, { strong: true, limit: 80 }), member: named(memberName(pair.member), { limit: 80 }) }))),
    pairs.length > NAMED ? el("li", { class: "soft" }, words.filters.more(pairs.length - NAMED)) : null,
  );
}

/**
 * Names the grants of a part beside a sweep's outcomes.
 * @param {Frame} frame
 * @param {string} sweepId
 * @param {import("../contract.js").SweepPart} part
 */
export async function showPairs(frame, sweepId, part) {
  try {
    const pairs = await sweepPairs(sweepId, part);
    const dialog = openDialog();
    const said = {
      beside: { title: words.sweep.beside(pairs.length), lead: words.sweep.beside_note },
      collateral: { title: words.sweep.collateral(pairs.length), lead: words.sweep.collateral_note },
      returned: { title: words.lift.returned(pairs.length), lead: words.lift.returned_lead },
    }[part];
    const { root, first } = paintTelling({
      about: {},
      mark: part === "collateral" ? "note" : "wait",
      title: said.title,
      lead: said.lead,
      facts: [],
      notes: [pairList(pairs)],
      acts: [...(part === "returned" ? returnedActs(frame, pairs, () => dialog.close(null)) : []), { key: "close", label: words.close, style: "solid", run: () => dialog.close() }],
    });
    dialog.show(root, { stage: "told", part }, first);
  } catch (thrown) {
    frame.tell(refusalOf(thrown), { act: "read" });
  }
}
