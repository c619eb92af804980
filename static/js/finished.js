// An edit has ended: a live region says so, and the tab's title marks it until somebody looks.
const title = document.title;

document.addEventListener("edit-finished", ({ detail }) => {
  document.getElementById("live").textContent = detail.sentence;
  if (document.hidden) document.title = `${detail.state === "succeeded" ? "✓" : "!"} ${title}`;
  // The page of one edit shows everything about it, so it is read again as a whole.
  if (document.body.classList.contains("page-edit")) location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = title;
});
