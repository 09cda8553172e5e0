// A list of any length that keeps only the rows in sight. It asks for windows of rows, drops answers that came too late, and
// knows three manners: a list to choose from (`listbox`), a list whose rows each carry a button (`list`), and a table whose rows
// have cells under a head, can be selected and opened (`grid`).

import { refusalOf } from "../bridge.js";
import { clone, el, put, say, slot, unique } from "../lib/dom.js";
import { visible } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("../contract.js").UnreadableRow} UnreadableRow */
/** @typedef {import("../bridge.js").AnyRefusal} AnyRefusal */

/**
 * Which part of a list is wanted.
 * @typedef {object} Window
 * @property {string} filter what rows must be like, in the words of the list; empty: all rows
 * @property {number} offset first row, from 0
 * @property {number} count at most this many rows
 * @property {boolean} reread ask the server again instead of showing what was read before
 */

/**
 * What a window of rows answers.
 * @template R
 * @typedef {{ rows: R[], matching: number, total: number, unreadable: UnreadableRow[], read_at: string }} Page
 */

/**
 * @template R, P
 * @typedef {object} Wants
 * @property {string} label
 * @property {"listbox" | "list" | "grid"} manner
 * @property {HTMLElement} [head] of a grid: its row of column headers, which scrolls with nothing
 * @property {number} height of a row, in CSS pixels
 * @property {string} template
 * @property {(window: Window) => Promise<P & Page<R>>} fetch
 * @property {(row: R) => string} id
 * @property {(node: HTMLElement, row: R, index: number) => void} paint
 * @property {(row: R) => void} [onOpen]
 * @property {(key: string) => boolean} [whole] whether this filter lets everything through; without it, the empty one does
 * @property {Select} [select] of a grid whose rows can be selected
 * @property {(page: P & Page<R>) => void} onPage called when a first window has come
 * @property {(page: P & Page<R>, filter: string) => Node} empty what stands there when no row does
 * @property {(refusal: AnyRefusal) => Node} refused what stands there when nothing could be read
 * @property {(refusal: AnyRefusal | null, readAt: string | null) => void} stale told when a later read failed while rows are shown, and when that is over
 */

/**
 * How rows are selected.
 * @typedef {object} Select
 * @property {(id: string) => boolean} has
 * @property {(id: string) => void} toggle
 * @property {() => void} all
 */

/** Rows asked for at once. */
const CHUNK = 100;
/** Rows kept outside of sight at either end. */
const SPARE = 6;
/** Milliseconds before anything says that it is loading. */
const PATIENCE = 150;
/** Nodes kept for the next rows that come into sight. */
const POOL = 80;
/** Milliseconds before a list that was read again in between is asked for anew. */
const CALM = 120;

/**
 * @template R
 * @template [P={}]
 */
export class Rows {
  /** @param {Wants<R, P>} wants */
  constructor(wants) {
    /** @type {Wants<R, P>} */
    this.wants = wants;
    this.filter = "";
    /** @type {(P & Page<R>) | null} */
    this.page = null;
    /** The row that the keyboard stands on. */
    this.here = 0;
    /** @type {string | null} */
    this.picked = null;
    /** @type {Map<number, R[]>} */
    this.chunks = new Map();
    /** @type {Set<number>} */
    this.asked = new Set();
    /** @type {Map<number, HTMLElement>} */
    this.nodes = new Map();
    // Counts reloads: an answer to an earlier one is out of date and dropped.
    this.turn = 0;
    this.settling = 0;
    /** @type {AnyRefusal | null} */
    this.trouble = null;

    this.track = el("div", { class: "track", role: "presentation" });
    const listbox = wants.manner !== "list";
    const { head } = wants;
    this.list = el("div", { class: "rows", role: wants.manner, "aria-label": wants.label, tabindex: listbox ? "0" : null, "aria-multiselectable": wants.select ? "true" : null, "data-test": "rows", hidden: true }, head, this.track);
    /** Nodes that have gone out of sight, to be painted again; and those of rows that were not there yet. @type {HTMLElement[]} */
    this.pool = [];
    /** @type {HTMLElement[]} */
    this.blanks = [];
    /** What was drawn last, and whether a row of it was not there yet. */
    this.from = -1;
    this.to = -1;
    this.lacking = false;
    /** Sizes, told by the observer, so that drawing reads no layout. */
    this.tall = 0;
    this.headTall = 0;
    this.list.style.setProperty("--row", `${wants.height}px`);
    this.state = el("div", { class: "state", "data-test": "state", hidden: true });
    this.root = el("div", { class: "under" }, this.list, this.state);
    this.stem = unique("row");

    this.list.addEventListener("scroll", () => this.look(), { passive: true });
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => this.click(event));
    this.list.addEventListener("focus", () => { if (listbox) this.mark(); });
    this.list.addEventListener("focusin", () => { this.held = true; });
    this.list.addEventListener("focusout", () => { this.held = false; });
    this.held = false;
    new ResizeObserver(() => {
      this.measure();
      this.draw();
    }).observe(this.list);
  }

  /** Makes every row so high. @param {number} height in CSS pixels */
  resize(height) {
    this.wants.height = height;
    this.list.style.setProperty("--row", `${height}px`);
  }

  measure() {
    this.tall = this.list.clientHeight;
    this.headTall = this.wants.head?.offsetHeight ?? 0;
  }

  /** How many rows there are to show, the unreadable ones among them. */
  get length() {
    if (!this.page) return 0;
    return this.page.matching + this.broken.length;
  }

  /** @returns {UnreadableRow[]} */
  get broken() {
    const whole = this.wants.whole?.(this.filter) ?? this.filter === "";
    return this.page && whole ? this.page.unreadable : [];
  }

  /** @param {number} index @returns {R | undefined} */
  at(index) {
    return this.chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];
  }

  /**
   * Reads the list again, with another filter or the same one. What is shown stays until the answer is there.
   * @param {{ filter?: string, reread?: boolean }} [how]
   */
  async load(how = {}) {
    const filter = how.filter ?? this.filter;
    const fresh = filter !== this.filter || !this.page;
    const turn = ++this.turn;
    const first = fresh ? 0 : Math.floor(this.firstInSight() / CHUNK);
    const waiting = setTimeout(() => { if (turn === this.turn) this.wait(); }, PATIENCE);
    try {
      const page = await this.wants.fetch({ filter, offset: first * CHUNK, count: CHUNK, reread: how.reread === true });
      if (turn !== this.turn) return;
      this.filter = filter;
      this.page = page;
      this.chunks = new Map([[first, page.rows]]);
      this.asked.clear();
      this.trouble = null;
      for (const index of [...this.nodes.keys()]) this.drop(index);
      if (fresh) this.here = 0;
      this.here = Math.max(0, Math.min(this.here, this.length - 1));
      if (this.wants.manner === "grid") this.list.setAttribute("aria-rowcount", String(this.length + 1));
      if (this.length === 0) this.instead(this.wants.empty(page, filter));
      else {
        this.instead(null);
        if (fresh) this.list.scrollTop = 0;
        this.measure();
      }
      this.wants.stale(null, null);
      this.wants.onPage(page);
      this.draw();
    } catch (thrown) {
      if (turn !== this.turn) return;
      this.fail(refusalOf(thrown));
    } finally {
      clearTimeout(waiting);
      if (turn === this.turn) {
        this.list.classList.remove("old");
        this.list.removeAttribute("aria-busy");
        this.root.removeAttribute("aria-busy");
      }
    }
  }

  /** Something takes long enough to be said. */
  wait() {
    this.root.setAttribute("aria-busy", "true");
    if (this.page && !this.list.hidden) this.list.classList.add("old");
    else if (!this.page) this.instead(clone("t-skeleton"));
  }

  /** @param {AnyRefusal} refusal */
  fail(refusal) {
    this.trouble = refusal;
    if (this.page && this.page.total > 0) {
      // What was read stays, and says how old it is.
      this.wants.stale(refusal, this.page.read_at);
      if (!this.state.hidden && !this.list.hidden) this.instead(null);
    } else {
      this.page = null;
      this.instead(this.wants.refused(refusal));
    }
  }

  /** Shows something in the place of the rows; `null` shows the rows. @param {Node | null} node */
  instead(node) {
    this.list.hidden = node !== null;
    this.state.hidden = node === null;
    put(this.state, node);
  }

  firstInSight() {
    return Math.max(0, Math.floor(this.list.scrollTop / this.wants.height));
  }

  sight() {
    const rows = Math.ceil(Math.max(0, this.tall - this.headTall) / this.wants.height) + 1;
    const first = this.firstInSight();
    return { from: Math.max(0, first - SPARE), to: Math.min(this.length, first + rows + SPARE), rows };
  }

  /** Draws once per frame, and asks for rows once scrolling rests. */
  look() {
    if (!this.drawing) {
      this.drawing = requestAnimationFrame(() => {
        this.drawing = 0;
        // A few pixels further the same rows are in sight.
        const { from, to } = this.sight();
        if (from === this.from && to === this.to && !this.lacking) return;
        this.draw();
      });
    }
  }

  draw() {
    if (!this.page || this.list.hidden) return;
    const height = `${this.length * this.wants.height}px`;
    if (this.track.style.height !== height) this.track.style.height = height;
    // An engine that scrolls beside the page can leave a list that has become shorter beyond its end, where no row is.
    if (this.length > 0 && this.firstInSight() >= this.length) this.list.scrollTop = this.length * this.wants.height;
    const { from, to } = this.sight();
    this.from = from;
    this.to = to;
    const held = this.held ? document.activeElement : null;
    for (const [index, node] of this.nodes) {
      // A row that holds the focus is never taken away: the focus would fall to the page.
      if ((index < from || index >= to) && !(held && node.contains(held))) this.drop(index);
    }
    let missing = false;
    for (let index = from; index < to; index += 1) {
      const node = this.nodes.get(index);
      const ready = index >= this.page.matching || this.at(index) !== undefined;
      if (!ready) missing = true;
      if (node && (node.dataset.blank === undefined || !ready)) continue;
      if (node) this.drop(index);
      this.put(index);
    }
    if (this.wants.manner === "list") this.rove();
    else this.mark();
    this.lacking = missing;
    if (missing) {
      clearTimeout(this.settling);
      this.settling = window.setTimeout(() => this.ask(), this.asked.size === 0 ? 0 : 60);
    }
  }

  /** Takes a row out of sight; a usual one is kept for the next that comes. @param {number} index */
  drop(index) {
    const node = this.nodes.get(index);
    if (!node) return;
    this.nodes.delete(index);
    node.remove();
    if (node.dataset.usual !== undefined && this.pool.length < POOL) this.pool.push(node);
    else if (node.dataset.blank !== undefined && this.blanks.length < POOL) this.blanks.push(node);
  }

  /** @param {number} index */
  put(index) {
    const page = /** @type {P & Page<R>} */ (this.page);
    const { manner } = this.wants;
    const row = this.at(index);
    const broken = index >= page.matching ? this.broken[index - page.matching] : undefined;
    const usual = row !== undefined && !broken;
    const node = (usual ? this.pool.pop() : row === undefined && !broken ? this.blanks.pop() : undefined) ?? clone(broken ? "t-unreadable-row" : row === undefined ? "t-blank-row" : this.wants.template);
    node.style.transform = `translateY(${index * this.wants.height}px)`;
    node.dataset.index = String(index);
    if (broken) {
      put(slot(node, "title"), say(words.lists.unreadable_row, { n: String(broken.index + 1) }));
      slot(node, "reason").textContent = visible(broken.reason);
      node.dataset.test = "row-unreadable";
    } else if (row === undefined) {
      node.dataset.blank = "";
    } else {
      node.dataset.usual = "";
      this.wants.paint(node, row, index);
      node.dataset.test = "row";
      node.dataset.id = this.wants.id(row);
    }
    if (row !== undefined || broken) {
      node.removeAttribute("aria-hidden");
      node.id = `${this.stem}-${index}`;
      node.setAttribute("role", { listbox: "option", list: "listitem", grid: "row" }[manner]);
      if (manner === "grid") {
        node.setAttribute("aria-rowindex", String(index + 2));
        if (broken) node.firstElementChild?.setAttribute("role", "gridcell");
      } else {
        node.setAttribute("aria-setsize", String(this.length));
        node.setAttribute("aria-posinset", String(index + 1));
      }
      if (broken && manner !== "list") node.setAttribute("aria-disabled", "true");
      if (row !== undefined) this.state_of(node, row);
    }
    this.nodes.set(index, node);
    // In the order of the list, so that the order of reading is the order of sight.
    let after = this.nodes.get(index + 1) ?? null;
    if (!after && this.track.lastElementChild && Number(/** @type {HTMLElement} */ (this.track.lastElementChild).dataset.index) > index) {
      for (const other of this.track.children) {
        if (Number(/** @type {HTMLElement} */ (other).dataset.index) > index) { after = /** @type {HTMLElement} */ (other); break; }
      }
    }
    this.track.insertBefore(node, after);
  }

  /** Whether a row is open in the detail, and whether it is selected. @param {HTMLElement} node @param {R} row */
  state_of(node, row) {
    const { manner, select } = this.wants;
    const id = this.wants.id(row);
    const open = this.picked !== null && id === this.picked;
    if (manner === "listbox") node.setAttribute("aria-selected", String(open));
    if (manner !== "grid") return;
    if (open) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    if (select) node.setAttribute("aria-selected", String(select.has(id)));
  }

  /** Draws what is selected anew. */
  reselect() {
    for (const [index, node] of this.nodes) {
      const row = this.at(index);
      if (row !== undefined && index < (this.page?.matching ?? 0)) this.state_of(node, row);
    }
  }

  /** Asks for the windows in sight that are missing: two at once, and none that has been scrolled past. */
  async ask() {
    const page = this.page;
    if (!page) return;
    const { from, to } = this.sight();
    const turn = this.turn;
    for (let chunk = Math.floor(from / CHUNK); chunk * CHUNK < Math.min(to, page.matching); chunk += 1) {
      if (this.chunks.has(chunk) || this.asked.has(chunk) || this.asked.size >= 2) continue;
      this.asked.add(chunk);
      this.wants.fetch({ filter: this.filter, offset: chunk * CHUNK, count: CHUNK, reread: false }).then(
        (more) => {
          if (turn !== this.turn) return;
          this.asked.delete(chunk);
          // The list was read again in between: its rows stand elsewhere now.
          if (more.read_at !== page.read_at || more.matching !== page.matching) {
            setTimeout(() => { if (turn === this.turn) this.load(); }, CALM);
            return;
          }
          this.chunks.set(chunk, more.rows);
          this.draw();
        },
        (thrown) => {
          if (turn !== this.turn) return;
          this.asked.delete(chunk);
          this.fail(refusalOf(thrown));
        },
      );
    }
  }

  /** Shows where the keyboard stands. */
  mark() {
    for (const [index, node] of this.nodes) node.classList.toggle("here", index === this.here);
    const here = this.nodes.get(this.here);
    if (here && here.dataset.blank === undefined) this.list.setAttribute("aria-activedescendant", here.id);
    else this.list.removeAttribute("aria-activedescendant");
  }

  /** One button of the list takes part in the Tab order: the one of the row where the keyboard stands. */
  rove() {
    let first = null;
    let reached = false;
    for (const [index, node] of this.nodes) {
      for (const button of node.querySelectorAll("button")) {
        button.tabIndex = index === this.here ? 0 : -1;
        if (!button.disabled) {
          first ??= button;
          if (index === this.here) reached = true;
        }
      }
    }
    if (!reached && first) first.tabIndex = 0;
    // With nothing to press in it, the list itself is what the keyboard scrolls.
    if (first) this.list.removeAttribute("tabindex");
    else this.list.tabIndex = 0;
  }

  /** @param {number} index */
  moveTo(index) {
    if (this.length === 0) return;
    this.here = Math.max(0, Math.min(this.length - 1, index));
    const top = this.here * this.wants.height;
    const room = this.list.clientHeight - this.headTall;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    else if (top + this.wants.height > this.list.scrollTop + room) this.list.scrollTop = top + this.wants.height - room;
    this.draw();
    if (this.wants.manner === "list") this.actOf(this.here)?.focus({ preventScroll: true });
  }

  /** The button of a row that can be pressed. @param {number} index */
  actOf(index) {
    const found = this.nodes.get(index)?.querySelector("button:not(:disabled)");
    return found instanceof HTMLButtonElement ? found : null;
  }

  /** Puts the keyboard on the list. */
  focus() {
    if (this.list.hidden) return false;
    if (this.wants.manner !== "list") this.list.focus();
    else {
      const act = this.actOf(this.here) ?? this.list.querySelector("button:not(:disabled)");
      if (!(act instanceof HTMLElement)) return false;
      act.focus();
    }
    return true;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && this.wants.select) {
      event.preventDefault();
      this.wants.select.all();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // The buttons of the head have keys of their own.
    if (event.target instanceof Node && this.wants.head?.contains(event.target)) return;
    const leap = Math.max(1, this.sight().rows - 2);
    if (this.wants.manner === "list") {
      const row = event.target instanceof Element ? event.target.closest("[data-index]") : null;
      if (row instanceof HTMLElement) this.here = Number(row.dataset.index);
    }
    const to = { ArrowDown: this.here + 1, ArrowUp: this.here - 1, PageDown: this.here + leap, PageUp: this.here - leap, Home: 0, End: this.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.moveTo(to);
    } else if (event.key === " " && this.wants.select) {
      event.preventDefault();
      this.choose(this.here);
    } else if (this.wants.manner !== "list" && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      this.open(this.here);
    }
  }

  /** @param {MouseEvent} event */
  click(event) {
    const row = event.target instanceof Element ? event.target.closest("[data-index]") : null;
    if (!(row instanceof HTMLElement)) return;
    this.here = Number(row.dataset.index);
    if (this.wants.select && event.target instanceof Element && event.target.closest(".check")) {
      this.choose(this.here);
      this.mark();
    } else if (this.wants.manner !== "list") this.open(this.here);
  }

  /** Selects a row, or lets it go. @param {number} index */
  choose(index) {
    const row = this.at(index);
    if (row === undefined || !this.page || index >= this.page.matching) return;
    this.wants.select?.toggle(this.wants.id(row));
  }

  /** @param {number} index */
  open(index) {
    const row = this.at(index);
    if (row === undefined || !this.page || index >= this.page.matching) return;
    this.here = index;
    this.pick(this.wants.id(row));
    this.wants.onOpen?.(row);
  }

  /** Marks the row that is shown in detail. @param {string | null} id */
  pick(id) {
    this.picked = id;
    if (this.wants.manner === "list") return;
    this.reselect();
    this.mark();
  }
}
