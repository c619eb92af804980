// A shared worker: the one event stream of a browser, whose pages each have a port.
import { keepStream } from "./stream.js";

const ports = new Set();
let live = false;
let person = null;

const stream = keepStream((said) => {
  live = said.live ?? live;
  for (const port of ports) port.postMessage(said);
});

self.addEventListener("connect", ({ ports: [port] }) => {
  port.addEventListener("message", ({ data }) => {
    if (data.bye) {
      ports.delete(port);
      return;
    }
    ports.add(port);
    if (person !== null && person !== data.person) {
      stream.stop(); // somebody else signed in
      live = false;
    }
    person = data.person;
    stream.start();
    // A page may have been made before something happened and asked for it after.
    port.postMessage({ live });
  });
  port.start();
});
