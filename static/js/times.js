// Exact times in the reader's own time zone, and "how long ago" that stays true while the page is open.
const DAY = 86_400;

function ago(seconds) {
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < DAY) return `${Math.round(seconds / 3600)} h ago`;
  const days = Math.round(seconds / DAY);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    time.title = moment.toLocaleString();
    if ("clock" in time.dataset) time.textContent = moment.toLocaleTimeString();
  }
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - new Date(time.dateTime)) / 1000;
    if (seconds < 7 * DAY) time.textContent = ago(seconds);
  }
}

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.target));
setInterval(refresh, 30_000);
