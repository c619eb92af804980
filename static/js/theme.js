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
    const buttons = document.querySelectorAll("[data-theme-toggle]"); // in the bar, and on phones in the account's menu
    const say = () => {
      const said = words[theme] ?? words[""];
      for (const button of buttons) {
        const shown = button.querySelector("[data-theme-words]");
        if (shown) {
          shown.textContent = said;
          continue;
        }
        button.setAttribute("aria-label", said);
        button.title = said;
      }
    };
    const turn = () => {
      theme = order[(order.indexOf(theme) + 1) % order.length];
      try {
        if (theme) localStorage.setItem("theme", theme);
        else localStorage.removeItem("theme");
      } catch {
        // As above: chosen for this page alone.
      }
      apply();
      say();
    };
    say();
    for (const button of buttons) {
      button.hidden = false;
      button.addEventListener("click", turn);
    }
  });
})();
