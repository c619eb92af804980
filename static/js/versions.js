// The versions come anew when an edit has ended: on a phone their sheet stays open, and the focus stays where it was.
// A button to cancel goes with what it canceled: the focus goes on to the version.
let open = false;
let focused = null;

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id !== "versions") return;
  open = detail.target.matches(":popover-open");
  const link = detail.target.contains(document.activeElement) && document.activeElement.closest("a");
  focused = link ? link.getAttribute("href") : null;
});
document.addEventListener("htmx:oobAfterSwap", () => {
  const versions = document.getElementById("versions");
  if (open && !versions.matches(":popover-open")) versions.showPopover();
  open = false;
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
