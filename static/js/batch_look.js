// Keep, drop, run again by keyboard alone. Arrows go from picture to picture, and a decision goes on to the next one.
import { lettersWork } from "./letters.js";

const grid = document.querySelector("[data-look-grid]");
const items = () => [...grid.querySelectorAll("[data-item]")];
const middle = (box) => box.left + box.width / 2;
const LETTERS = { d: "x" }; // two keys for one button
let last = null; // what was decided last, which U takes back

/** The one above or below: of the nearest row in that direction the one that lies straightest. */
function beyond(from, down) {
  const here = from.getBoundingClientRect();
  let best = null;
  for (const item of items()) {
    const box = item.getBoundingClientRect();
    const gap = down ? box.top - here.top : here.top - box.top;
    if (gap < 8) continue;
    const aside = Math.abs(middle(box) - middle(here));
    if (!best || gap < best.gap - 8 || (gap < best.gap + 8 && aside < best.aside)) best = { item, gap, aside };
  }
  return best?.item;
}

function goal(key, from) {
  const all = items();
  const place = all.indexOf(from);
  if (key === "ArrowRight") return all[place + 1];
  if (key === "ArrowLeft") return all[place - 1];
  return key === "ArrowDown" ? beyond(from, true) : beyond(from, false);
}

function go(item) {
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}

function press(item, key) {
  const button = item?.querySelector(`[data-press="${key}"]`);
  if (!button) return false;
  button.click();
  if (key === "u") return true;
  last = item.id;
  const all = items();
  const place = all.indexOf(item);
  go([...all.slice(place + 1), ...all.slice(0, place)].find((each) => each.dataset.item === "looking") ?? item);
  return true;
}

function choose(item, number) {
  const choice = item.querySelectorAll('input[type="radio"]')[number - 1];
  if (choice) choice.checked = true;
  return Boolean(choice);
}

function act(event, item) {
  const key = LETTERS[event.key.toLowerCase()] ?? event.key.toLowerCase();
  if (event.key.startsWith("Arrow")) {
    go(item ? goal(event.key, item) : items()[0]);
    return true;
  }
  if (key === " ") {
    item?.classList.toggle("look-before");
    return Boolean(item);
  }
  if (key === "u") {
    const undone = item?.querySelector('[data-press="u"]') ? item : document.getElementById(last);
    go(undone);
    return press(undone, "u");
  }
  if ("1234".includes(key)) return Boolean(item) && choose(item, Number(key));
  return "kxr".includes(key) && press(item, key);
}

// Before the keys of all pages, some of which are the same letters.
addEventListener(
  "keydown",
  (event) => {
    if (!grid || event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
    if (event.key.length === 1 && event.key !== " " && !lettersWork()) return;
    const inside = event.target.closest?.("[data-item]");
    const typing = event.target.matches?.("input:not([type=radio]), textarea, select");
    const elsewhere = !inside && event.target !== document.body && event.target.id !== "main";
    if (typing || elsewhere || (event.key === " " && event.target.matches("button, a, input"))) return;
    if (!act(event, inside)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);

// A tile that was told anew has the focus that the old one had.
let held = null;
grid?.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const item = detail.target.closest?.("[data-item]");
  held = item?.contains(document.activeElement) ? item.id : null;
});
grid?.addEventListener("htmx:afterSettle", () => {
  if (held) go(document.getElementById(held));
  held = null;
});
if (grid && document.activeElement === document.body) items()[0]?.focus({ preventScroll: true });
