// Panels made of <details>: one at a time, closed by Escape, by a press beside them and by the focus going on.
// In those that are lists, arrows go from item to item.
const open = () => document.querySelectorAll("details[data-menu][open]");
const origins = new WeakMap(); // menu → what had the focus before a key opened it

const ITEMS = "a[href], button:not(:disabled), summary, input:not([type=hidden])";
const itemsOf = (menu) => [...menu.querySelectorAll(`:is(.menu-panel, .dock-panel-words) :is(${ITEMS})`)].filter((item) => item.checkVisibility());

function close(menu) {
  const inside = menu.contains(document.activeElement);
  const origin = origins.get(menu);
  origins.delete(menu);
  menu.open = false;
  if (!inside) return;
  if (origin === document.body) document.activeElement.blur();
  else (origin?.isConnected ? origin : menu.querySelector("summary")).focus();
}

/** By a key from anywhere: the first item gets the focus, and closing gives it back. A second time closes. */
export function toggleMenu(menu) {
  if (menu.open) return close(menu);
  origins.set(menu, document.activeElement);
  menu.open = true;
  itemsOf(menu)[0]?.focus();
}

function goal(key, items, from) {
  const place = items.indexOf(from);
  if (key === "ArrowDown") return items[(place + 1) % items.length];
  if (key === "ArrowUp") return items.at(place < 0 ? -1 : place - 1);
  if (key === "Home") return items[0];
  return key === "End" ? items.at(-1) : null;
}

document.addEventListener("pointerdown", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return open().forEach(close);
  const menu = event.target.closest?.("details[data-menu][open]");
  if (!menu || event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = goal(event.key, itemsOf(menu), event.target);
  if (!next) return;
  event.preventDefault();
  next.focus();
});
// A press on words inside a panel gives the focus to what lies around it: that is no leaving.
document.addEventListener("focusin", ({ target }) => {
  for (const menu of open()) {
    const left = !menu.contains(target) && !target.contains(menu);
    if (left && !menu.querySelector(".field-error")) menu.open = false;
  }
});
document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches?.("details[data-menu]") || !event.target.open) return;
    for (const menu of open()) if (menu !== event.target) menu.open = false;
  },
  true,
);
