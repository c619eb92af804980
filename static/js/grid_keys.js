// A grid by keyboard: arrows go from tile to tile, Space or X chooses the one that has the focus.
const form = document.querySelector("[data-selection]");
const links = () => [...form.querySelectorAll(".pic-link")];
const middle = (box) => box.left + box.width / 2;

/** The tile above or below: of the nearest row in that direction the one that lies straightest. */
function beyond(from, down) {
  const here = from.getBoundingClientRect();
  let best = null;
  for (const link of links()) {
    const box = link.getBoundingClientRect();
    const gap = down ? box.top - here.top : here.top - box.top;
    if (gap < 8) continue;
    const aside = Math.abs(middle(box) - middle(here));
    if (!best || gap < best.gap - 8 || (gap < best.gap + 8 && aside < best.aside)) best = { link, gap, aside };
  }
  return best?.link;
}

function goal(key, from) {
  const all = links();
  const place = all.indexOf(from);
  if (key === "ArrowRight") return all[place + 1];
  if (key === "ArrowLeft") return all[place - 1];
  if (key === "ArrowDown") return beyond(from, true);
  if (key === "ArrowUp") return beyond(from, false);
  return null;
}

form?.addEventListener("keydown", (event) => {
  const link = event.target.closest?.(".pic-link");
  if (!link || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === " " || event.key.toLowerCase() === "x") {
    event.preventDefault();
    const box = link.parentElement.querySelector(".pic-check input");
    box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
    return;
  }
  if (!event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const next = goal(event.key, link);
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
});
