// A notification when an edit has ended and nobody looks at the tab: asked for by a button, never by itself.
const possible = "Notification" in window;

function offer() {
  for (const button of document.querySelectorAll("[data-notify]")) button.hidden = !possible || Notification.permission !== "default";
}

document.addEventListener("click", async ({ target }) => {
  if (!target.closest("[data-notify]")) return;
  const answer = await Notification.requestPermission();
  offer();
  const sentence = answer === "granted" ? "You are told when an edit is done while you look elsewhere." : "Without your browser’s permission nothing is shown; the tab’s title still marks it.";
  document.dispatchEvent(new CustomEvent("retake:toast", { detail: { level: "info", sentence } }));
});
document.addEventListener("edit-finished", ({ detail }) => {
  if (!possible || !document.hidden || Notification.permission !== "granted") return;
  const told = new Notification("Retake", { body: detail.sentence, tag: detail.id });
  told.addEventListener("click", () => {
    window.focus();
    told.close();
  });
});
document.addEventListener("htmx:load", offer);
offer();
