// The dashboard asks for itself again; what the reader has open stays open, and where the focus is it stays.
const NOW = "operate-now";
let open = [];

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === NOW && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.getElementById(NOW)?.dispatchEvent(new CustomEvent("look"));
});
document.addEventListener("htmx:beforeSwap", ({ target }) => {
  if (target.id === NOW) open = [...target.querySelectorAll("details[open]")].map((each) => each.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of open.splice(0)) document.getElementById(id)?.setAttribute("open", "");
});
