// The versions come anew when an edit has ended: on a phone their sheet stays open, and the focus stays where it was.
// A button to cancel goes with what it canceled: the focus goes on to the version.
// The version on the stage is in view: whole, with what can be done with it.
let open = false;
let focused = null;
let scrolled = 0;
let shown = null; // the version that is in view by our doing

const MARGIN = 12; // px around what comes into view

/** Scrolls the panel alone: on a phone the page behind its sheet stays where it is. */
function reveal() {
  const panel = document.getElementById("versions");
  const version = panel?.querySelector("a[aria-current]")?.closest("li");
  if (!version || !panel.clientHeight) return;
  const { top, bottom } = panel.getBoundingClientRect();
  const head = panel.querySelector("h2");
  const above = getComputedStyle(head).position === "sticky" ? head.offsetHeight : 0;
  const place = version.getBoundingClientRect();
  const low = place.bottom + MARGIN - bottom;
  const high = place.top - MARGIN - above - top;
  if (high < 0) panel.scrollTop += high;
  else if (low > 0) panel.scrollTop += Math.min(low, high);
}

/** After it came anew: in view if it is another one than before, and otherwise as somebody left it. */
function begin() {
  const address = document.querySelector("#versions a[aria-current]")?.getAttribute("href") ?? null;
  if (address !== shown) reveal();
  shown = address;
}
begin();
addEventListener("load", reveal); // the fonts are there
document.addEventListener("toggle", ({ target, newState }) => target.id === "versions" && newState === "open" && reveal(), true);
document.addEventListener("htmx:load", begin);

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id !== "versions") return;
  open = detail.target.matches(":popover-open");
  scrolled = detail.target.scrollTop;
  const link = detail.target.contains(document.activeElement) && document.activeElement.closest("a");
  focused = link ? link.getAttribute("href") : null;
});
document.addEventListener("htmx:oobAfterSwap", () => {
  const versions = document.getElementById("versions");
  if (open && !versions.matches(":popover-open")) versions.showPopover();
  open = false;
  versions.scrollTop = scrolled;
  begin();
  if (focused) versions.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  focused = null;
});

let canceled = null; // the tile of the edit whose button had the focus
const CANCEL = "form[action$='/cancel/']";

function remember({ detail }) {
  const form = detail.target.contains(document.activeElement) && document.activeElement.closest(CANCEL);
  if (form) canceled = form.getAttribute("hx-target");
}
document.addEventListener("htmx:beforeRequest", remember);
document.addEventListener("htmx:beforeSwap", remember);
document.addEventListener("htmx:oobBeforeSwap", remember);
document.addEventListener("htmx:afterSettle", () => {
  if (!canceled || document.activeElement.closest(CANCEL)) return;
  if (document.activeElement === document.body) document.querySelector(`${canceled} .tile-link`)?.focus({ preventScroll: true });
  canceled = null;
});
