// No connection is said, and said to be over. What was written stays where it is.
let bar = null;
let waiting = false; // the portal did not answer the last time

function say() {
  const lost = !navigator.onLine || waiting;
  if (lost === Boolean(bar)) return;
  if (!lost) {
    bar.remove();
    bar = null;
    document.getElementById("live").textContent = "The connection is back.";
    for (const error of document.querySelectorAll("[data-dock-offline]")) error.hidden = true;
    return;
  }
  bar = document.createElement("p");
  bar.className = "offline";
  bar.setAttribute("role", "status");
  bar.textContent = navigator.onLine
    ? "The portal can’t be reached. Edits go on without you; this page catches up by itself."
    : "You are offline. Edits go on without you; this page catches up by itself.";
  document.body.append(bar);
}

addEventListener("online", say);
addEventListener("offline", say);
document.addEventListener("htmx:sendError", () => {
  waiting = true;
  say();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.xhr.status) return;
  waiting = false;
  say();
});
// An edit that can't leave is not sent: the words stay, and the dock says so.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id !== "edit-form" || navigator.onLine) return;
  event.preventDefault();
  const error = document.querySelector("[data-dock-offline]");
  error.hidden = true; // said again to those who hear it
  requestAnimationFrame(() => (error.hidden = false));
});
say();
