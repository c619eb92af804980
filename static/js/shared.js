// A page of somebody outside asks every few seconds whether it still shows what is so. What was taken back goes at once.
const PACE = 4000; // ms
const place = document.querySelector("[data-shared]");
let address = place.dataset.shared;
let asking = false;

function close() {
  document.getElementById("shared-pictures")?.replaceChildren();
  location.replace(location.pathname + location.search); // to the one page that says that there is nothing
}

/** Somebody is writing in it: it waits until they are done. */
function isBusy(part) {
  const writing = part.contains(document.activeElement) && document.activeElement.matches("input, textarea");
  return writing || [...part.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue);
}

/** The parts of the page whose ids begin like this, as they are now. */
async function renew(ids) {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (answer.status === 404) return close();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.querySelector("[data-shared]");
  if (!now) return close(); // it asks for a password now
  let all = true;
  for (const id of ids) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (!old || !fresh) continue;
    if (id === "shared-talk" && isBusy(old)) {
      all = false;
      continue;
    }
    old.replaceWith(document.adoptNode(fresh));
    fresh.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true })); // what other scripts listen for
  }
  if (all) address = now.dataset.shared;
}

async function ask() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch(address, { cache: "no-store" });
    if (answer.status === 404) return close();
    if (!answer.ok) return;
    const { pictures, talk } = await answer.json();
    const ids = [...(pictures ? ["shared-pictures"] : []), ...(talk ? ["shared-talk", "pins"] : [])];
    if (ids.length) await renew(ids);
  } catch {
    // No network: nothing new is shown either, and the next time tells.
  } finally {
    asking = false;
  }
}

setInterval(ask, PACE);
document.addEventListener("visibilitychange", ask);
addEventListener("pageshow", ({ persisted }) => persisted && ask());
