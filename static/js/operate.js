// The dashboard asks for itself again; what the reader has open stays open, where it is scrolled to, and focus stays.
const NOW = "operate-now";
let kept = { open: [], focus: "" };

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === NOW && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.getElementById(NOW)?.dispatchEvent(new CustomEvent("look"));
});
document.addEventListener("htmx:beforeSwap", ({ target }) => {
  if (target.id !== NOW) return;
  const open = [...target.querySelectorAll("details[open]")].map(({ id, lastElementChild: { scrollTop, scrollLeft } }) => ({
    id,
    scrollTop,
    scrollLeft,
  }));
  kept = { open, focus: target.contains(document.activeElement) ? document.activeElement.id : "" };
});
document.addEventListener("htmx:afterSwap", () => {
  for (const { id, scrollTop, scrollLeft } of kept.open) {
    const details = document.getElementById(id);
    if (!details) continue;
    details.open = true;
    Object.assign(details.lastElementChild, { scrollTop, scrollLeft });
  }
  if (kept.focus) document.getElementById(kept.focus)?.focus({ preventScroll: true });
  kept = { open: [], focus: "" };
});
