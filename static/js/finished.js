// An edit has ended: a live region says so, and the tab's title marks it until somebody looks.
const unmarked = () => document.title.replace(/^[✓!] /, "");

document.addEventListener("edit-finished", ({ detail }) => {
  document.getElementById("live").textContent = detail.sentence;
  if (document.hidden) document.title = `${detail.state === "succeeded" ? "✓" : "!"} ${unmarked()}`;
  // The page of one edit shows everything about it, so it is read again as a whole.
  if (document.body.classList.contains("page-edit")) location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = unmarked();
});
