// Before anything is painted: say that scripts run, and use the colours that were chosen here.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const order = ["", "light", "dark"];
  const words = { "": "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };
  let theme = "";
  try {
    theme = localStorage.getItem("theme") ?? "";
  } catch {
    // Storage may be forbidden; then the system decides.
  }
  const apply = () => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    const say = () => {
      button.setAttribute("aria-label", words[theme] ?? words[""]);
      button.title = words[theme] ?? words[""];
    };
    say();
    button.hidden = false;
    button.addEventListener("click", () => {
      theme = order[(order.indexOf(theme) + 1) % order.length];
      try {
        if (theme) localStorage.setItem("theme", theme);
        else localStorage.removeItem("theme");
      } catch {
        // As above: chosen for this page alone.
      }
      apply();
      say();
    });
  });
})();
