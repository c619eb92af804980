// Panels made of <details>: one at a time, closed by Escape, by a press beside them and by the focus going on.
const open = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("pointerdown", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of open()) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
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
