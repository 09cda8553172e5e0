// Evidence in the window: a sweep's or a finding's pack written to a file, a pack checked from its bytes, a journal that was
// rolled back, and a person taken out of it. The shell writes, reads and judges; this tells.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { tellRefusal } from "../elements/outcome.js";
import { note, paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, input, say, slot } from "../lib/dom.js";
import { memberName, named, visible, whole } from "../lib/text.js";
import { time } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").EvidencePack} EvidencePack */
/** @typedef {import("../contract.js").EvidenceCheck} EvidenceCheck */
/** @typedef {import("../contract.js").EvidenceFacts} EvidenceFacts */
/** @typedef {import("../contract.js").EvidenceBreak} EvidenceBreak */
/** @typedef {import("../elements/telling.js").Telling} Telling */
/** @typedef {import("../elements/telling.js").Fact} Fact */

/** A head in short, for a line; the whole is copied. @param {string} head */
export const shortHead = (head) => (head.length > 20 ? `${head.slice(0, 16)}…` : head);

/** @param {import("../elements/dialog.js").Dialog} dialog @param {Telling} telling */
function show(dialog, telling) {
  const { root, first } = paintTelling(telling);
  dialog.show(root, { stage: "told", ...telling.about }, first);
}

/** What a shell takes as one word. @param {string} text */
const word = (text) => (/^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/**
 * Writes a pack and says where it lies and what to keep of it.
 * @param {Frame} frame
 * @param {() => Promise<EvidencePack>} make
 * @param {{ finding?: boolean, open?: boolean }} how `open`: more may come
 */
export async function exportPack(frame, make, how) {
  const said = words.evidence;
  const title = how.finding ? said.title_finding : said.title;
  try {
    const pack = await make();
    const dialog = openDialog();
    show(dialog, {
      about: { outcome: "exported" },
      mark: "gone",
      title,
      lead: how.finding ? said.lead_finding : said.lead,
      facts: [
        { key: "path", label: said.file, value: whole(pack.path, { mono: true }), copy: pack.path },
        { key: "head", label: said.head, value: el("span", { class: "mono" }, pack.head), copy: pack.head },
        { key: "chain_head", label: said.chain_head, value: el("span", { class: "mono" }, pack.chain_head), copy: pack.chain_head },
        { key: "verify", label: said.verify, value: el("code", {}, `cutoff verify ${visible(word(pack.path), 600)} --head ${pack.head}`), copy: `cutoff verify ${word(pack.path)} --head ${pack.head}` },
      ],
      notes: [el("p", { class: "soft" }, said.head_note), how.open ? note("open", said.lead_open) : null],
      acts: [{ key: "close", label: words.close, style: "solid", run: () => dialog.close() }],
    });
    announce(title);
  } catch (thrown) {
    frame.tell(refusalOf(thrown), { act: "read", retry: () => exportPack(frame, make, how) });
  }
}

/** Lets somebody choose a pack and says what it is worth. @param {Frame} frame @param {string} [head] */
export function checkPack(frame, head = "") {
  const said = words.evidence;
  const dialog = openDialog();
  const root = clone("t-check");
  const field = input(root, "head");
  field.value = head;
  const wrong = slot(root, "wrong");
  const go = button(root, "go");
  button(root, "cancel").addEventListener("click", () => dialog.close());
  field.addEventListener("input", () => { wrong.hidden = true; });
  root.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = field.value.trim().toLowerCase();
    if (wanted !== "" && !/^[0-9a-f]{64}$/.test(wanted)) {
      wrong.hidden = false;
      field.focus();
      return;
    }
    go.disabled = true;
    go.textContent = said.checking;
    try {
      const check = await ask("evidence_check", { head: wanted === "" ? null : wanted });
      if (!dialog.open()) return;
      go.textContent = said.choose;
      go.disabled = false;
      if (!check) { go.focus(); return; }
      const telling = verdict(check, wanted);
      telling.acts.push({ key: "check-another", label: said.another, left: true, run: () => checkPack(frame, wanted) }, { key: "close", label: words.close, style: "solid", run: () => dialog.close() });
      show(dialog, telling);
      announce(telling.title);
    } catch (thrown) {
      if (dialog.open()) show(dialog, tellRefusal(refusalOf(thrown), { session: frame.session, act: "read", close: () => dialog.close(), retry: () => checkPack(frame, wanted) }));
    }
  });
  dialog.show(root, { stage: "check" }, field);
}

/** @param {EvidenceCheck} check @param {string} head that was given @returns {Telling} */
function verdict(check, head) {
  const said = words.evidence;
  /** @type {Telling} */
  const told = { about: {}, mark: "note", title: "", lead: "", facts: [{ key: "file", label: said.file, value: named(check.file, { limit: 300 }) }], notes: [], acts: [] };
  const { verdict: found } = check;
  if (found.verdict === "good") good(told, found, head);
  else broken(told, found);
  return told;
}

/** @param {Telling} told @param {EvidenceFacts} facts @param {string} head */
function good(told, facts, head) {
  const said = words.evidence;
  told.about = { outcome: facts.since === "nothing" ? "consistent" : "unchanged" };
  told.mark = facts.since === "nothing" ? "note" : "gone";
  if (facts.since === "nothing") {
    told.title = said.consistent_title;
    told.lead = said.consistent;
    told.notes.push(el("p", { class: "soft" }, said.consistent_next));
  } else {
    told.title = said.unchanged_title;
    told.lead = say(said.unchanged, { head: el("span", { class: "mono" }, head) });
    if (facts.since === "rows") told.notes.push(note("rows", said.unchanged_rows(facts.rows_vouched, facts.rows - facts.rows_vouched), " ", said.unchanged_rows_note));
  }
  const counts = facts.outcomes.map((one) => `${words.outcome[one.outcome].short} ${words.number(one.grants)}`).concat(facts.unsent > 0 ? [words.sweep.not_sent(facts.unsent)] : []).join(" · ");
  told.facts.push({ key: "rows", label: said.rows, value: facts.finding ? said.finding_value(facts.rows) : said.rows_value(facts.rows, facts.grants) });
  if (counts !== "") told.facts.push({ key: "outcomes", label: said.outcomes, value: counts });
  told.facts.push({ key: "closed", label: said.closed, value: facts.closed ? said.closed_yes : said.closed_no });
  if (facts.absent.length > 0) told.facts.push({ key: "absent", label: said.absent, value: say(said.absent_value, { files: named(facts.absent.join(", "), { limit: 200 }) }) });
  if (facts.erased > 0) told.facts.push({ key: "erased", label: said.erased, value: said.erased_value(facts.erased) });
  if (facts.complete === false) told.notes.push(note("incomplete", said.finding_incomplete));
  if (facts.closed && !facts.counts_compared) told.notes.push(note("counts", said.counts));
  told.record = [
    { key: "sweep", label: said.sweep, value: el("span", { class: "mono" }, facts.sweep_id) },
    { key: "pack_head", label: said.pack_head, value: el("span", { class: "mono" }, facts.head), copy: facts.head },
    { key: "chain_head", label: said.chain_head, value: el("span", { class: "mono" }, facts.chain_head), copy: facts.chain_head },
  ];
}

/** @param {Telling} told @param {EvidenceBreak} why */
function broken(told, why) {
  const said = words.evidence;
  told.about = { outcome: "broken", fault: why.fault };
  told.mark = "no";
  told.title = said.broken_title;
  const next = { key: "next", label: words.facts.next, value: said.broken_next };
  switch (why.fault) {
    case "too_large":
      told.title = said.too_large_title;
      told.lead = said.too_large;
      break;
    case "newer":
      told.mark = "trouble";
      told.title = said.newer_title;
      told.lead = said.newer;
      break;
    case "other_head":
      told.lead = said.other_head;
      told.facts.push(next);
      told.record = [
        { key: "pack_head", label: said.pack_head, value: el("span", { class: "mono" }, why.head), copy: why.head },
        { key: "chain_head", label: said.chain_head, value: el("span", { class: "mono" }, why.chain_head), copy: why.chain_head },
      ];
      break;
    case "form":
      told.lead = say(said.broken_form, { what: named(why.what, { limit: 200 }) });
      told.facts.push(next);
      break;
    case "file":
      told.lead = say(said.broken_file, { name: el("code", {}, visible(why.name, 80)), why: named(why.why, { limit: 300 }) });
      told.facts.push(next);
      break;
    case "row":
      told.lead = say(said.broken_row, { seq: words.number(why.seq), why: named(why.why, { limit: 300 }) });
      told.facts.push(next);
      break;
  }
}

/** What it means that the journal was rolled back. @param {import("../contract.js").RolledBack} noted */
export function tellRolledBack(noted) {
  const said = words.evidence;
  const dialog = openDialog();
  show(dialog, {
    about: { refusal: "rolled_back" },
    mark: "trouble",
    title: said.rolled_back,
    lead: say(said.rolled_back_lead, { at: time(noted.noted_at) }),
    facts: [
      { key: "next", label: words.facts.next, value: said.rolled_back_next },
      { key: "rows", label: said.rolled_back_rows, value: words.number(noted.rows) },
      { key: "head", label: said.rolled_back_head, value: el("span", { class: "mono" }, noted.head), copy: noted.head },
    ],
    notes: [],
    acts: [{ key: "close", label: words.close, style: "solid", run: () => dialog.close() }],
  });
}

/** Asks whether a person is to be taken out of the journal. @param {Frame} frame @param {import("../contract.js").MemberFace} member */
export function erasePerson(frame, member) {
  const said = words.erase;
  const dialog = openDialog();
  const content = clone("t-ask");
  slot(content, "title").textContent = said.title.replace("{member}", () => visible(memberName(member), 80));
  slot(content, "lead").textContent = `${said.lead} ${said.note}`;
  const keep = button(content, "keep");
  keep.textContent = words.cancel;
  keep.addEventListener("click", () => dialog.close());
  const go = button(content, "go");
  go.textContent = said.go;
  go.className = "b danger solid";
  go.addEventListener("click", async () => {
    go.disabled = true;
    try {
      const erased = await ask("erase_person", { member_id: member.member_id });
      if (!dialog.open()) return;
      const { texts, reasons, plans } = erased;
      const next = `cutoff erase ${word(member.member_id)} ${reasons.map((id) => `--reason-of ${id}`).join(" ")} --yes`;
      const facts = [
        ...(reasons.length > 0 ? [{ key: "reasons", label: said.command, value: el("code", {}, visible(next, 2000)), copy: next }] : []),
        ...plans.map((id, at) => ({ key: `plan-${at}`, label: said.sweep, value: el("span", { class: "mono" }, id), copy: id })),
      ];
      const notes = [reasons.length > 0 ? note("reasons", said.reasons(reasons.length)) : null, plans.length > 0 ? note("plans", said.plans(plans.length)) : null];
      show(dialog, { about: { outcome: "erased" }, mark: "gone", title: said.done(texts), lead: said.note, facts, notes, acts: [{ key: "close", label: words.close, style: "solid", run: () => dialog.close() }] });
    } catch (thrown) {
      frame.tell(refusalOf(thrown), { act: "session" });
    }
  });
  dialog.show(content, { stage: "erase" }, keep);
}
