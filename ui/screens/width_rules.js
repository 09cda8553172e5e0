// The rules that scopes are rated by, as they are written: read, changed, moved, set back. Saving rates everything anew.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { levelWords } from "../elements/facts_of.js";
import { faultWords, tellRefusal } from "../elements/outcome.js";
import { paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, input, put, slot } from "../lib/dom.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").WidthRule} WidthRule */
/** @typedef {import("../contract.js").WidthRules} WidthRules */

/** @param {Frame} frame */
export async function openWidthRules(frame) {
  const dialog = openDialog();
  const root = clone("t-rules");
  const list = slot(root, "list");
  const wrong = slot(root, "wrong");
  const save = button(root, "save");
  const reset = button(root, "reset");
  const add = button(root, "add");
  button(root, "cancel").addEventListener("click", () => dialog.close());

  /** @param {WidthRule} rule @param {Element | null} [before] */
  function put_line(rule, before = null) {
    const line = clone("t-rule");
    const label = input(line, "label");
    const patterns = input(line, "patterns");
    const level = /** @type {HTMLSelectElement} */ (slot(line, "level"));
    label.value = rule.label;
    patterns.value = rule.patterns.join(" ");
    put(level, ...[1, 2, 3].map((one) => el("option", { value: String(one) }, levelWords(one))));
    level.value = String(rule.level);
    const shade = () => { line.dataset.level = level.value; };
    level.addEventListener("change", shade);
    shade();
    line.addEventListener("input", () => { wrong.hidden = true; });
    button(line, "up").addEventListener("click", () => { const other = line.previousElementSibling; if (other) { other.before(line); after(line, "up"); } });
    button(line, "down").addEventListener("click", () => { const other = line.nextElementSibling; if (other) { other.after(line); after(line, "down"); } });
    button(line, "remove").addEventListener("click", () => {
      const next = line.nextElementSibling ?? line.previousElementSibling;
      line.remove();
      number();
      const field = next?.querySelector("input");
      (field ?? add).focus();
      announce(words.rules.removed(label.value));
    });
    list.insertBefore(line, before);
    return line;
  }

  /** @param {HTMLElement} line @param {string} held */
  function after(line, held) {
    number();
    const same = button(line, held);
    (same.disabled ? button(line, held === "up" ? "down" : "up") : same).focus();
    announce(words.rules.moved([...list.children].indexOf(line) + 1, list.children.length));
  }

  function number() {
    const lines = /** @type {HTMLElement[]} */ ([...list.children]);
    for (const [index, line] of lines.entries()) {
      slot(line, "n").textContent = String(index + 1);
      button(line, "up").disabled = index === 0;
      button(line, "down").disabled = index === lines.length - 1;
      input(line, "label").setAttribute("aria-label", words.rules.label_of(index + 1));
      input(line, "patterns").setAttribute("aria-label", words.rules.patterns_of(index + 1));
      slot(line, "level").setAttribute("aria-label", words.rules.level_of(index + 1));
    }
  }

  /** @param {WidthRules} rules */
  function fill(rules) {
    put(list);
    for (const rule of rules.rules) put_line(rule);
    number();
    slot(root, "standard").textContent = rules.standard ? words.rules.standard : words.rules.changed;
    reset.disabled = rules.standard;
  }

  /** @returns {WidthRule[]} */
  function written() {
    return [...list.children].map((line) => ({
      label: input(/** @type {HTMLElement} */ (line), "label").value.trim(),
      patterns: input(/** @type {HTMLElement} */ (line), "patterns").value.split(/[\s,]+/).filter((pattern) => pattern !== ""),
      level: Number(/** @type {HTMLSelectElement} */ (slot(/** @type {HTMLElement} */ (line), "level")).value),
    }));
  }

  /** @param {WidthRules | null} rules @param {HTMLButtonElement} from */
  async function set(rules, from) {
    from.disabled = true;
    try {
      const now = await ask("width_rules_set", { rules });
      if (!dialog.open()) return;
      // Nothing was read, and yet every rating is another one.
      frame.inventory.seen = "";
      await frame.inventory.look();
      announce(words.rules.saved);
      if (rules === null) fill(now);
      else dialog.close();
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal.kind === "bad_input") {
        wrong.hidden = false;
        wrong.textContent = faultWords(refusal.field, refusal.fault);
        // The first line that is plainly at fault, or the first of all.
        const faulty = [...list.children].find((line) => { const rule = input(/** @type {HTMLElement} */ (line), "label"); return rule.value.trim() === "" || rule.value.length > 24 || input(/** @type {HTMLElement} */ (line), "patterns").value.trim() === ""; }) ?? list.children[0];
        const field = faulty ? (input(/** @type {HTMLElement} */ (faulty), "label").value.trim() === "" || input(/** @type {HTMLElement} */ (faulty), "label").value.length > 24 ? input(/** @type {HTMLElement} */ (faulty), "label") : input(/** @type {HTMLElement} */ (faulty), "patterns")) : null;
        field?.setAttribute("aria-invalid", "true");
        field?.setAttribute("aria-describedby", wrong.id);
        field?.focus();
        announce(wrong.textContent ?? "");
      } else frame.tell(refusal, { act: "read" });
    }
    from.disabled = false;
  }

  wrong.id = "rules-wrong";
  add.addEventListener("click", () => {
    // A new rule stands first, since the first that matches counts.
    const line = put_line({ label: "", patterns: [], level: 3 }, list.firstElementChild);
    number();
    input(line, "label").focus();
  });
  save.addEventListener("click", () => set({ rules: written(), standard: false }, save));
  reset.addEventListener("click", () => set(null, reset));
  slot(root, "form").addEventListener("submit", (event) => { event.preventDefault(); set({ rules: written(), standard: false }, save); });
  dialog.show(root, { stage: "rules" }, button(root, "cancel"));
  try {
    fill(await ask("width_rules", {}));
  } catch (thrown) {
    if (!dialog.open()) return;
    const { root: told, first } = paintTelling(tellRefusal(refusalOf(thrown), { session: frame.session, act: "read", close: () => dialog.close() }));
    dialog.show(told, { stage: "told" }, first);
  }
}
