// The versions come anew when an edit has ended: on a phone their sheet stays open, and the focus stays where it was.
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
