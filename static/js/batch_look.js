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

// Under a finger a decision leads on to the next picture that waits for one; so does the button, from wherever one is.
const touch = matchMedia("(pointer: coarse)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const undecided = () => items().filter((item) => item.dataset.item === "looking");

function show(item) {
  if (!item) return;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
}

grid?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-press]");
  if (!event.isTrusted || !touch.matches || !button || button.dataset.press === "u") return;
  const item = button.closest("[data-item]");
  const others = undecided().filter((each) => each !== item);
  const following = (each) => item.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
  last = item.id;
  setTimeout(() => show(others.find(following) ?? others[0])); // the form goes out first, with the button that has the focus
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-look-next]");
  if (!link || !grid) return;
  event.preventDefault();
  const edge = link.closest(".look-standing").getBoundingClientRect().bottom + 24;
  show(undecided().find((item) => item.getBoundingClientRect().top > edge) ?? undecided()[0]);
});

// A tile that was told anew has the focus that the old one had; what came in between, by another answer, comes once.
let held = null;
const hold = (item) => (held = item?.contains(document.activeElement) ? item.id : held);
grid?.addEventListener("htmx:beforeSwap", ({ detail }) => hold(detail.target.closest?.("[data-item]")));
grid?.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target !== grid) return hold(detail.target.closest("[data-item]"));
  for (const item of detail.fragment.querySelectorAll("[data-item]")) if (document.getElementById(item.id)) item.remove();
});
// What asks right now is not taken away by another answer, or its own finds no page any more: it brings what is newer.
let late = false;
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target === grid || !(detail.target.matches(".htmx-request") || detail.target.querySelector(".htmx-request"))) return;
  detail.shouldSwap = false;
  late ||= detail.target.id === "look-standing";
});
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (late && target.id === "look-standing") {
    late = false;
    target.dispatchEvent(new CustomEvent("look"));
  }
  if (held && document.activeElement === document.body) document.getElementById(held)?.focus({ preventScroll: true });
  held = null;
});
if (grid && document.activeElement === document.body) items()[0]?.focus({ preventScroll: true });
