// A blurred idea of each picture, in its place until its bytes are here.
import { thumbHashToDataURL } from "../vendor/thumbhash/thumbhash.js";

function fill(root) {
  for (const image of root.querySelectorAll("[data-thumbhash]")) {
    const hash = image.dataset.thumbhash;
    delete image.dataset.thumbhash;
    if (!hash || (image.complete && image.naturalWidth)) continue;
    try {
      const bytes = Uint8Array.from(atob(hash), (character) => character.charCodeAt(0));
      image.style.backgroundImage = `url(${thumbHashToDataURL(bytes)})`;
      image.style.backgroundSize = "100% 100%";
      image.addEventListener("load", () => (image.style.backgroundImage = ""), { once: true });
    } catch {
      // A malformed hash is no reason for anything but a plain background.
    }
  }
}
fill(document);
document.addEventListener("htmx:load", (event) => fill(event.target.parentElement ?? document));
