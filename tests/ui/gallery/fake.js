// Stands in for the shell: puts a `window.__TAURI__` there before the page starts, answers from the scene that the address
// names, and takes the steps that lead to it. The page itself is the real one, unchanged.

import { scenes } from "./scenes.js";

// The real shell freezes it, and a page that works only unfrozen would break there.
Object.freeze(Object.prototype);

const name = new URLSearchParams(location.search).get("scene") ?? "apps";
const scene = scenes[name];
if (!scene) throw new Error(`no scene ${name}`);

class Channel {
  /** @type {(message: unknown) => void} */
  onmessage = () => {};
}

/** @type {Array<{ name: string, args: unknown }>} */
const calls = [];

/** @type {any} */ (window).__TAURI__ = {
  core: {
    Channel,
    /** @param {string} command @param {any} args */
    invoke: async (command, args) => {
      // What crosses to the shell is JSON: anything else would fail there.
      calls.push({ name: command, args: JSON.parse(JSON.stringify(args)) });
      const answer = /** @type {any} */ (scene.answers)[command];
      if (!answer) throw `Command ${command} not found`;
      const reply = await answer(args);
      return reply === undefined ? null : structuredClone(reply);
    },
  },
};
/** @type {any} */ (window).gallery = { calls, name };

/** @param {number} ms */
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string} test @param {number} [nth] @returns {Promise<HTMLElement>} */
async function find(test, nth = 0) {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = [...document.querySelectorAll(`[data-test="${test}"]`)].filter((one) => one instanceof HTMLElement && one.checkVisibility({ visibilityProperty: true }))[nth];
    if (found instanceof HTMLElement) return found;
    await rest(20);
  }
  throw new Error(`scene ${name}: nothing shows data-test="${test}"`);
}

/** @type {import("./scenes.js").Hands} */
const hands = {
  find,
  rest: async (ms) => { await rest(ms); },
  // A radio button that is drawn by its label is there, and yet nothing of it is in sight.
  click: async (test, nth, unseen) => { (unseen ? /** @type {HTMLElement} */ (document.querySelector(`[data-test="${test}"]`)) : await find(test, nth)).click(); },
  key: async (test, key) => {
    const node = await find(test);
    node.focus();
    node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await rest(60);
  },
  press: async (key) => {
    (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await rest(30);
  },
  choose: async (test, value) => {
    const select = /** @type {HTMLSelectElement} */ (await find(test));
    select.value = value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await rest(30);
  },
  type: async (test, text) => {
    const field = /** @type {HTMLInputElement} */ (await find(test));
    field.focus();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  },
};

window.addEventListener("load", async () => {
  try {
    await scene.steps?.(hands);
    await find(scene.ends);
    document.documentElement.dataset.scene = "ready";
  } catch (thrown) {
    document.documentElement.dataset.scene = String(thrown);
  }
});
