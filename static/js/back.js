// "← History" leads to where one came from, with its filters and its place, if one came from there.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".back a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const from = document.referrer && new URL(document.referrer);
  if (!from || from.origin !== location.origin || from.pathname !== link.pathname || history.length < 2) return;
  event.preventDefault();
  history.back();
});
