// A grid that grows without end: far from the view its pages are put away, and the address says which one is in view.
const days = document.getElementById("days");
const FAR = "8000px 0px"; // beyond that from the view there is nothing but an empty box as high as the page was
const away = new WeakMap();
const watched = new WeakSet();

function putAway(chunk) {
  const keeps = chunk.contains(document.activeElement) || chunk.querySelector(":checked, .state-work, .state-ask");
  if (away.has(chunk) || keeps) return;
  chunk.style.height = `${chunk.getBoundingClientRect().height}px`;
  const kept = document.createDocumentFragment();
  kept.append(...chunk.childNodes);
  away.set(chunk, kept);
  chunk.classList.add("put-away");
}

function takeBack(chunk) {
  if (!away.has(chunk)) return;
  chunk.append(away.get(chunk));
  away.delete(chunk);
  chunk.style.height = "";
  chunk.classList.remove("put-away");
}

const near = new IntersectionObserver(
  (entries) => entries.forEach(({ target, isIntersecting }) => (isIntersecting ? takeBack : putAway)(target)),
  { rootMargin: FAR },
);
// A line a third down the window: whichever page crosses it is the one that a reload or the way back begins with.
const inView = new IntersectionObserver(
  (entries) => {
    const found = entries.find((entry) => entry.isIntersecting)?.target;
    if (found) history.replaceState(history.state, "", found.dataset.here);
  },
  { rootMargin: "-33% 0px -66% 0px" },
);

function watch() {
  for (const chunk of days.querySelectorAll(".chunk")) {
    if (watched.has(chunk)) continue;
    watched.add(chunk);
    near.observe(chunk);
    inView.observe(chunk);
  }
  const next = document.querySelector("#selection > [name=next]");
  if (next) next.value = location.pathname + location.search;
}

if (days) {
  watch();
  days.addEventListener("click", ({ target }) => {
    const chunk = target.closest(".pic-link")?.closest(".chunk"); // which may lie above that line
    if (chunk) history.replaceState(history.state, "", chunk.dataset.here);
  });
  document.addEventListener("htmx:load", watch);
  document.addEventListener("submit", watch, true);
}
