// The stage's pictures, larger: by wheel, pinch, + − 0 and buttons. All of them in step, in each way to compare.
const MOST = 8;
const STEP = 1.25;
const view = { zoom: 1, x: 0, y: 0 }; // x and y: how far the middle was moved, in shares of a picture's side

const table = () => document.querySelector("#stage [data-zoomable]");
const frame = () => table()?.querySelector(".compare-after, .picture");
const picture = () => frame()?.querySelector("img");
const between = (low, value, high) => Math.min(high, Math.max(low, value));

function show() {
  const place = table();
  if (!place) return;
  const room = (view.zoom - 1) / 2;
  view.x = between(-room, view.x, room);
  view.y = between(-room, view.y, room);
  place.style.setProperty("--zoom", view.zoom);
  place.style.setProperty("--pan", `${view.x * 100}% ${view.y * 100}%`);
  place.classList.toggle("zoomed", view.zoom > 1);
  const said = document.querySelector("#stage [data-zoom-said]");
  if (!said) return;
  said.textContent = view.zoom === 1 ? "Fit" : `${share()} %`;
  said.parentElement.setAttribute("aria-label", view.zoom === 1 ? `Fit: it is, at ${share()} %` : `Fit: now ${share()} %`);
}

/** How large it is shown, in percent: at 100 one pixel of the picture is one of the screen. */
function share() {
  const image = picture();
  if (!image) return 100;
  return Math.round((100 * view.zoom * image.offsetWidth * devicePixelRatio) / image.getAttribute("width"));
}

/** To `zoom`, so that the point of the picture under (x, y) of the window stays there; without one, the middle does. */
function zoomTo(zoom, point) {
  const box = frameUnder(point);
  if (!box) return;
  const next = between(1, zoom, MOST);
  const x = point ? (point.x - box.left) / box.width - 0.5 : 0;
  const y = point ? (point.y - box.top) / box.height - 0.5 : 0;
  const grows = next / view.zoom;
  view.x = x - (x - view.x) * grows;
  view.y = y - (y - view.y) * grows;
  view.zoom = next;
  show();
}

/** Where the picture under the point lies when it is not zoomed. */
function frameUnder(point) {
  const frames = [...(table()?.querySelectorAll("[data-compare] figure, .picture") ?? [])];
  const inside = (each) => {
    const box = each.getBoundingClientRect();
    return point && point.x >= box.left && point.x <= box.right && point.y >= box.top && point.y <= box.bottom;
  };
  const found = frames.find(inside) ?? frame();
  if (!found) return null;
  const box = found.getBoundingClientRect();
  const image = found.querySelector("img");
  // A picture alone is smaller than what it lies in.
  const width = image.offsetWidth;
  const height = image.offsetHeight;
  return { width, height, left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2 };
}

export function zoomBy(steps) {
  zoomTo(view.zoom * STEP ** steps);
}

/** To see more of what lies there, in shares of a picture's side. Returns whether there is more. */
export function panBy(right, down) {
  if (view.zoom === 1) return false;
  view.x -= right;
  view.y -= down;
  show();
  return true;
}

export function fit() {
  Object.assign(view, { zoom: 1, x: 0, y: 0 });
  show();
}

document.addEventListener(
  "wheel",
  (event) => {
    if (!event.target.closest?.("[data-zoomable]") || !picture()) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    zoomTo(view.zoom * Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 100 : 500)), { x: event.clientX, y: event.clientY });
  },
  { passive: false },
);

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-zoom]");
  if (button) ({ in: () => zoomBy(1), out: () => zoomBy(-1), fit })[button.dataset.zoom]();
});

// Fingers and the mouse: one of them moves what is zoomed, two pinch. The slider's handle keeps its own.
const pointers = new Map();
let slider = null; // where it stood before a second finger came

const middle = () => {
  const [a, b] = [...pointers.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
};

function move(byX, byY) {
  const image = picture();
  if (!image) return;
  view.x += byX / image.offsetWidth;
  view.y += byY / image.offsetHeight;
  show();
}

document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest?.("[data-zoomable]") || event.target.closest("button, a, form, .notice, .status-pill")) return;
  if (event.button !== 0) return;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, drags: !event.target.matches("[data-compare-range]") });
  if (pointers.size === 2) slider = document.querySelector("#stage [data-compare-range]")?.value ?? null;
});
document.addEventListener("pointermove", (event) => {
  const pointer = pointers.get(event.pointerId);
  if (!pointer) return;
  const now = { ...pointer, x: event.clientX, y: event.clientY };
  if (pointers.size === 2) {
    const before = middle();
    pointers.set(event.pointerId, now);
    const after = middle();
    move(after.x - before.x, after.y - before.y);
    if (before.apart) zoomTo(view.zoom * (after.apart / before.apart), after);
  } else {
    if (view.zoom > 1 && pointer.drags) move(now.x - pointer.x, now.y - pointer.y);
    pointers.set(event.pointerId, now);
  }
});
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, ({ pointerId }) => {
    pointers.delete(pointerId);
    if (!pointers.size) slider = null;
  });
}
// Two fingers mean the picture, not the slider that lies over it.
document.addEventListener(
  "input",
  (event) => {
    if (slider === null || !event.target.matches("[data-compare-range]")) return;
    event.target.value = slider;
    event.stopPropagation();
  },
  true,
);

// Another picture is seen whole; the same one, fetched again, stays as it was.
let address = "";
function begin() {
  const now = picture()?.src ?? "";
  if (now !== address) fit();
  else show();
  address = now;
}
begin();
document.addEventListener("htmx:load", begin);
addEventListener("resize", show);
