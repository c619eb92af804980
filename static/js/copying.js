// Copies what stands in the field beside a button; without scripts the field can be selected and copied by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = button.parentElement.querySelector("input");
  const tell = (level, sentence) => document.dispatchEvent(new CustomEvent("retake:toast", { detail: { level, sentence } }));
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      tell("success", "Copied.");
    } catch {
      tell("info", "The link is selected: copy it from there.");
    }
  });
}
