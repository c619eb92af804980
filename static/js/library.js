// Choosing many pictures: a range with Shift, all, none; and the bar that says how many there are.
const form = document.querySelector("[data-selection]");
const bar = form?.querySelector("[data-selection-bar]");
const boxes = () => [...form.querySelectorAll(".pic-check input")];
const MOST = 500;
const LARGEST = 1000; // for a batch and a ZIP
let last = null;

function say() {
  const chosen = boxes().filter((box) => box.checked);
  for (const box of boxes()) box.closest(".pic").classList.toggle("chosen", box.checked);
  const count = bar.querySelector("[data-selection-count]");
  count.textContent =
    chosen.length === 0 ? count.dataset.empty :
    chosen.length > LARGEST ? `${chosen.length} chosen; at most ${LARGEST.toLocaleString("en")} at once` : `${chosen.length} chosen`;
  bar.querySelector("[data-selection-told]").hidden = chosen.length <= MOST || chosen.length > LARGEST;
  bar.classList.toggle("active", chosen.length > 0);
}

function choose(checked, among = boxes()) {
  for (const box of among) box.checked = checked;
  say();
}

if (bar) {
  form.classList.add("scripted");
  form.addEventListener("click", (event) => {
    const box = event.target.closest?.(".pic-check input");
    if (box) {
      const all = boxes();
      if (event.shiftKey && last && all.includes(last)) {
        const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
        choose(box.checked, all.slice(from, to + 1));
      }
      last = box;
      say();
    } else if (event.target.closest("[data-select-all]")) choose(true);
    else if (event.target.closest("[data-select-none]")) choose(false);
  });
  // Enter in a field means the button beside it, not the first one of the form.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && bar.classList.contains("active")) choose(false);
    if (event.key !== "Enter" || !event.target.matches("[data-typed] input")) return;
    event.preventDefault();
    event.target.closest("[data-typed]").querySelector("button").click();
  });
  // A browser that goes back keeps what was chosen.
  addEventListener("pageshow", say);
  document.addEventListener("htmx:load", say);
  say();
}

// Coming back from a picture: pages are fetched again until that picture is there, as a browser forgets what grew.
const PAGES_AGAIN = 20;
let fetched = 0;

function findPlace() {
  const left = history.state?.left;
  if (!left) return;
  const link = form.querySelector(`.pic-link[href="${CSS.escape(left)}"]`);
  const older = document.getElementById("older");
  if (!link && older && fetched++ < PAGES_AGAIN) {
    htmx.trigger(older, "intersect");
    return;
  }
  history.replaceState({ ...history.state, left: null }, "");
  link?.scrollIntoView({ block: "center", behavior: "instant" });
  link?.focus({ preventScroll: true });
}

// The same after something was done with the chosen ones: what stands where one looked is in view again.
const KEPT = "retake:place";
const MOMENT = 10_000; // ms

function keepPlace() {
  const seen = [...form.querySelectorAll(".pic:not(.chosen) .pic-link")].find((link) => {
    const { top, bottom } = link.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  if (!seen || scrollY < 200) return;
  const place = { path: location.pathname, left: seen.getAttribute("href"), at: Date.now() };
  sessionStorage.setItem(KEPT, JSON.stringify(place));
}

function takePlace() {
  const place = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (place?.path !== location.pathname || Date.now() - place.at > MOMENT) return;
  history.replaceState({ ...history.state, left: place.left }, "");
}

if (form) {
  form.addEventListener("submit", keepPlace);
  takePlace();
  form.addEventListener("click", ({ target }) => {
    const link = target.closest(".pic-link");
    if (link) history.replaceState({ ...history.state, left: link.getAttribute("href") }, "");
  });
  if (history.state?.left) history.scrollRestoration = "manual";
  addEventListener("load", findPlace);
  document.addEventListener("htmx:afterSettle", findPlace);
}

// What opens elsewhere on the page is not to lie under the panel that it was asked for in.
document.addEventListener("click", ({ target }) => {
  const panel = target.closest("[data-fold-closes]")?.closest("details");
  if (panel) panel.open = false;
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("select[data-submit]")) target.form.requestSubmit();
});
