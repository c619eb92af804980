// Renews the marked parts of the page, so that what is being typed into the others stays.
async function renew() {
  try {
    const answer = await fetch("/", { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      const busy = part.contains(document.activeElement);
      if (other && !busy && other.innerHTML !== part.innerHTML) part.replaceChildren(...other.childNodes);
    }
  } catch {
    // The sandbox is not there at the moment; the next round may find it.
  }
  setTimeout(renew, document.hidden ? 10000 : 2000);
}

for (const group of document.querySelectorAll("details")) {
  const name = group.querySelector("summary").textContent;
  group.open = sessionStorage.getItem(name) === "open";
  group.addEventListener("toggle", () => sessionStorage.setItem(name, group.open ? "open" : ""));
}
setTimeout(renew, 2000);
