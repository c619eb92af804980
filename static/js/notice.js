// The notice at the top: closed here, it stays away in this browser until other words stand in it.
const YEAR = 31_536_000;

for (const notice of document.querySelectorAll("[data-notice]")) {
  const button = notice.querySelector("[data-notice-close]");
  button.hidden = false;
  button.addEventListener("click", () => {
    document.cookie = `notice-closed=${notice.dataset.notice}; path=/; max-age=${YEAR}; samesite=lax`;
    notice.remove();
    document.getElementById("main").focus();
  });
}
