// What each key does, in one list: it drives the keys and the dialog that `?` opens.
// A key presses what carries it as `data-key`, or does what stands here. None works while somebody types.
import { cycle, flip } from "./compare.js";
import { lettersWork, setLetters } from "./letters.js";
import { toggleMenu } from "./menus.js";
import { fit, panBy, zoomBy } from "./zoom.js";

const click = (selector) => () => {
  const found = document.querySelector(selector);
  const menu = found?.matches("details[data-menu] > summary") && found.parentElement;
  if (menu) toggleMenu(menu);
  else found?.click();
  return Boolean(found);
};
const step = (by) => () => {
  const tiles = [...document.querySelectorAll("#versions .tile:not(.tile-again) > a.tile-link")];
  const here = tiles.findIndex((tile) => tile.hasAttribute("aria-current"));
  const next = tiles[Math.min(tiles.length - 1, Math.max(0, here + by))];
  if (!next || next === tiles[here]) return tiles.length > 0;
  next.click();
  return true;
};
const focus = (selector) => () => {
  const field = document.querySelector(selector);
  field?.focus();
  return Boolean(field);
};
const onStage = (action) => () => {
  if (!document.querySelector("#stage [data-zoomable] img")) return false;
  return action() ?? true;
};
const AT_ONCE = 0.1; // of the picture's side
const pressed = (key) => click(`#studio [data-key="${key}"]`);

/** [title, [keys as shown, what they do, key, action]]; without a key the row only tells. */
const MAP = [
  ["Words", [
    ["Ctrl ↵", "Run the edit (⌘ ↵ on a Mac)"],
    ["Alt ↑ · Alt ↓", "Earlier words, and back"],
    ["↓", "From the end of the words to what is offered; ↵ or Tab takes it"],
    ["E", "To the words", "e", focus("#prompt")],
    ["A · F2", "A recipe; F2 works while you type", "a", click("#studio [data-recipes]")],
    ["Esc", "Leave the words, close what is open"],
    ["Ctrl V", "Paste a picture into the slot in focus"],
  ]],
  ["Picture", [
    ["M", "Slider, side by side, hold to flip", "m", cycle],
    ["F", "Hold: the picture before", "f", flip],
    ["W", "What changed, on and off", "w", pressed("w")],
    ["← · →", "Move the slider by 1 %, with Shift by 10, when it is in focus"],
    ["+ · −", "Larger, smaller", "+", onStage(() => zoomBy(1))],
    ["Shift ← ↑ → ↓", "Move what is larger than fits"],
    ["0", "As large as fits", "0", onStage(fit)],
    ["1 to 4", "One of several results"],
    ["J · ]", "Next version", "j", step(1)],
    ["U · [", "Version before", "u", step(-1)],
  ]],
  ["With the result", [
    ["K", "Keep editing it", "k", pressed("k")],
    ["R", "Run again, same seed", "r", pressed("r")],
    ["V", "Variation, new seed", "v", pressed("v")],
    ["C", "Change and run", "c", pressed("c")],
    ["S", "Use as second picture", "s", pressed("s")],
    ["X", "Compare with another", "x", pressed("x")],
    ["D", "Download", "d", pressed("d")],
    ["I", "Everything about it", "i", pressed("i")],
    [".", "All that can be done; arrows go through it", ".", pressed(".")],
    ["Del", "Into the trash", "Delete", pressed("Delete")],
  ]],
  ["In a grid", [
    ["← ↑ → ↓", "From tile to tile, from the one in focus"],
    ["Space · X", "Choose it, or not"],
  ]],
  ["Going through many", [
    ["A · R", "Approve, reject"],
    ["← · → · S · Space", "To the one before, the next one"],
    ["U", "Take the last decision back"],
    ["2", "Two at a time; the arrows choose the side"],
  ]],
  ["Results of a batch", [
    ["← ↑ → ↓", "From one to the next"],
    ["K · X · R", "Keep, drop, run again"],
    ["U", "Take the last decision back"],
    ["Space", "The picture before"],
    ["1 to 4", "One of several results"],
  ]],
  ["Everywhere", [
    ["G S", "Studio", "g s", click('.rail a[href="/"]')],
    ["G L", "Library", "g l", click('.rail a[href*="library"]')],
    ["G H", "History", "g h", click('.rail a[href*="history"]')],
    ["G R", "Recipes", "g r", click('.rail a[href*="recipes"]')],
    ["/", "Search", "/", focus("main input[type=search]")],
    ["?", "This list", "?", () => help()],
  ]],
];
const ALSO = { "]": step(1), "[": step(-1), "=": onStage(() => zoomBy(1)), "-": onStage(() => zoomBy(-1)), "−": onStage(() => zoomBy(-1)) };
for (const number of "1234") ALSO[number] = pressed(number);
const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
for (const [key, [right, down]] of Object.entries(WAYS)) ALSO[`Shift ${key}`] = onStage(() => panBy(right * AT_ONCE, down * AT_ONCE));
const HELD = new Set([...Object.keys(WAYS).map((key) => `Shift ${key}`), "+", "=", "-", "−"]); // go on while they are held

const actions = new Map(Object.entries(ALSO));
for (const [, rows] of MAP) for (const [, , key, action] of rows) if (key) actions.set(key, action);

function element(name, { text, ...facts }, ...children) {
  const made = Object.assign(document.createElement(name), facts);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function help() {
  const dialog = document.getElementById("keys") ?? build();
  if (dialog.open) return true;
  const menu = document.activeElement.closest("details[data-menu]");
  if (menu) menu.open = false;
  const before = menu?.querySelector("summary") ?? document.activeElement;
  const back = before === document.body ? document.getElementById("main") : before;
  dialog.addEventListener("close", () => back.focus({ preventScroll: true }), { once: true });
  dialog.showModal();
  return true;
}

function letterSwitch() {
  const box = element("input", { type: "checkbox", checked: lettersWork() });
  box.addEventListener("change", () => setLetters(box.checked));
  const words = element("span", { text: "Keys of one letter, digit or sign work" });
  const hint = element("small", { className: "hint", text: "Without them: the arrows, Ctrl ↵, Del, and this list from the menu of your account." });
  return element("label", { className: "field-check keys-switch" }, box, element("span", {}, words, hint));
}

function build() {
  const groups = MAP.map(([title, rows]) => {
    const list = element("dl", {});
    for (const [keys, words] of rows) {
      const term = element("dt", {});
      for (const key of keys.split(/( · | to | )/)) term.append(key.trim() && !["·", "to"].includes(key.trim()) ? element("kbd", { text: key }) : key);
      list.append(element("div", {}, term, element("dd", { text: words })));
    }
    return element("section", {}, element("h3", { text: title }), list);
  });
  const close = element("button", { type: "submit", className: "icon-button", text: "×" });
  close.setAttribute("aria-label", "Close");
  const head = element("form", { method: "dialog" }, element("h2", { id: "keys-title", text: "Keys" }), close);
  const dialog = element("dialog", { id: "keys", className: "sheet-dialog keys-dialog" }, head, letterSwitch(), element("div", { className: "keys-groups" }, ...groups));
  dialog.setAttribute("aria-labelledby", "keys-title");
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  return dialog;
}

const types = (target) => target.matches?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range])");

function keyOf({ key, shiftKey, target }) {
  if (key.length === 1) return key.toLowerCase();
  // The slider moves by them itself.
  return shiftKey && key in WAYS && target.type !== "range" ? `Shift ${key}` : key;
}

let begun = ""; // the first of two keys
let forget = 0;

document.addEventListener("keydown", (event) => {
  if (document.querySelector("[data-desk]") || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.id === "prompt") return event.target.blur();
  if (types(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key.length === 1 && !lettersWork()) return;
  const key = keyOf(event);
  const action = actions.get(begun ? `${begun} ${key}` : key);
  clearTimeout(forget);
  const first = !begun && key === "g";
  begun = first ? "g" : "";
  if (first) forget = setTimeout(() => (begun = ""), 1500);
  if ((!event.repeat || HELD.has(key)) && action?.()) event.preventDefault();
});
document.addEventListener("click", ({ target }) => target.closest("[data-help]") && help());
