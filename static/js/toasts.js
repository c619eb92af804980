// Messages can be closed; those that offer no way back go by themselves. Others ask for one by the event "retake:toast".
const box = document.getElementById("toasts");

function tend(toast) {
  const close = toast.querySelector("[data-toast-close]");
  if (close) {
    close.hidden = false;
    close.addEventListener("click", () => toast.remove());
  }
  if (toast.querySelector("form") || toast.matches(".toast-error")) return;
  let timer = setTimeout(() => toast.remove(), 6000);
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", () => (timer = setTimeout(() => toast.remove(), 2500)));
}

for (const toast of box.querySelectorAll("[data-toast]")) tend(toast);

document.addEventListener("retake:toast", ({ detail }) => {
  const toast = document.createElement("div");
  toast.className = `toast toast-${detail.level ?? "info"}`;
  toast.setAttribute("role", detail.level === "error" ? "alert" : "status");
  const words = document.createElement("p");
  words.textContent = detail.sentence;
  toast.append(words);
  if (detail.href) {
    const link = document.createElement("a");
    link.className = "button button-small";
    link.href = detail.href;
    link.textContent = detail.action;
    toast.append(link);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon-button icon-button-small";
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", "Close this message");
  close.textContent = "×";
  toast.append(close);
  box.append(toast);
  tend(toast);
});

// What a script asked for and the portal could not do is said, not swallowed. Polling goes on by itself and stays quiet.
function say(event, sentence) {
  if (event.detail.requestConfig?.verb === "get") return;
  document.dispatchEvent(new CustomEvent("retake:toast", { detail: { level: "error", sentence } }));
}
document.addEventListener("htmx:sendError", (event) => say(event, "The portal can’t be reached. Nothing is lost; try again in a moment."));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 409) return; // the answer brings its own words
  const sentence =
    status === 403 ? "This page was open for too long. Reload it and try again." :
    status === 404 ? "That is not there any more. Reload the page." :
    "That went wrong, and it is our fault. Try again in a minute.";
  say(event, sentence);
});
