// What is selected in a list, as a rule: ids picked one by one, or all that match a filter but some. It survives scrolling,
// sorting, filtering and reading again, and it never holds the set.

import { ask } from "../bridge.js";
import { filterKey, plainFilter } from "./inventory.js";

/** @typedef {import("../contract.js").Selection} Selection */
/** @typedef {import("../contract.js").Filter} Filter */
/** @typedef {import("../contract.js").Noun} Noun */

export class Choice {
  /** @param {Noun} noun @param {boolean} fold */
  constructor(noun, fold) {
    this.noun = noun;
    this.fold = fold;
    /** @type {Selection | null} */
    this.rule = null;
    /** Of rows on screen: whether they match the rule's filter, where the list shows another one. @type {Map<string, boolean>} */
    this.known = new Map();
  }

  clear() {
    this.rule = null;
    this.known.clear();
  }

  /** @param {Filter} filter */
  all(filter) {
    this.known.clear();
    this.rule = { noun: this.noun, fold: this.fold, all: true, filter: plainFilter(filter), ids: [] };
  }

  /** Whether the list that is shown is the one that the rule means. @param {Filter} filter */
  ofFilter(filter) {
    return this.rule?.all === true && filterKey(this.rule.filter ?? {}) === filterKey(filter);
  }

  /** @param {string} id @param {Filter} filter what the list shows */
  matches(id, filter) {
    return this.ofFilter(filter) || filterKey(this.rule?.filter ?? {}) === "" || this.known.get(id) === true;
  }

  /** @param {string} id @param {Filter} filter */
  has(id, filter) {
    const { rule } = this;
    if (!rule) return false;
    return rule.all ? !rule.ids.includes(id) && this.matches(id, filter) : rule.ids.includes(id);
  }

  /**
   * Picks a row, or lets it go.
   * @param {string} id
   * @param {Filter} filter what the list shows
   * @returns {boolean} false: the rule means all of another filter, in which this row is not
   */
  toggle(id, filter) {
    this.rule ??= { noun: this.noun, fold: this.fold, all: false, filter: {}, ids: [] };
    const { rule } = this;
    if (rule.all && !this.matches(id, filter)) return false;
    rule.ids = rule.ids.includes(id) ? rule.ids.filter((one) => one !== id) : [...rule.ids, id];
    if (!rule.all && rule.ids.length === 0) this.rule = null;
    return true;
  }

  /** For the box in the header. @param {Filter} filter @returns {"none" | "some" | "all"} */
  state(filter) {
    if (!this.rule) return "none";
    return this.rule.all && this.rule.ids.length === 0 && (this.ofFilter(filter) || filterKey(this.rule.filter ?? {}) === "") ? "all" : "some";
  }

  /**
   * Asks which of these rows match the rule, where the list shows another filter than the rule's.
   * @param {string[]} ids
   * @param {Filter} filter
   */
  async learn(ids, filter) {
    const { rule } = this;
    if (!rule?.all || this.ofFilter(filter) || filterKey(rule.filter ?? {}) === "") return;
    const unknown = ids.filter((id) => !this.known.has(id));
    if (unknown.length === 0) return;
    const of = rule.filter ?? {};
    const groups = unknown.filter((id) => id.startsWith("group:"));
    const plain = unknown.filter((id) => !id.startsWith("group:"));
    const found = new Set();
    /** @param {Filter} narrowed */
    const asked = async (narrowed) => {
      const query = { filter: narrowed, sort: /** @type {const} */ ("name"), descending: false, fold: rule.fold, offset: 0, count: 1000 };
      if (this.noun === "members") return (await ask("inventory_members", { query })).rows.map((row) => row.face.member_id);
      return (await ask("inventory_apps", { query })).rows.map((row) => (row.group && row.clients > 1 ? `group:${row.group}` : row.app.connected_app_id));
    };
    /** @param {string[] | undefined} had */
    const both = (had) => (had && had.length > 0 ? plain.filter((id) => had.includes(id)) : plain);
    if (this.noun === "grants") {
      for (const id of plain) {
        const [member_id = "", app_id = ""] = id.split("\n");
        const query = { filter: { ...of, members: [member_id], apps: [app_id] }, sort: /** @type {const} */ ("name"), descending: false, fold: false, offset: 0, count: 1 };
        const inside = (!of.members?.length || of.members.includes(member_id)) && (!of.apps?.length || of.apps.includes(app_id));
        if (inside && (await ask("inventory_grants", { query })).matching > 0) found.add(id);
      }
    } else {
      const key = this.noun === "members" ? "members" : "apps";
      const wanted = both(of[key]);
      if (wanted.length > 0) for (const id of await asked({ ...of, [key]: wanted })) found.add(id);
      for (const id of groups) {
        const group = id.slice(6);
        if (of.group && of.group !== group) continue;
        for (const one of await asked({ ...of, group })) if (one === id) found.add(id);
      }
    }
    for (const id of unknown) this.known.set(id, found.has(id));
  }
}
