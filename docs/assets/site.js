// The theme puts each button that copies into a landmark of its own, all without a name.
const unnamed = () => {
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "none");
};
new MutationObserver(unnamed).observe(document.documentElement, { childList: true, subtree: true });
unnamed();

// What is copied from an example is what is typed: neither its prompt nor what was answered.
const PROMPT = /^(?:\$|>>>|\.\.\.) ?/;
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".md-code__button[data-clipboard-target]");
  const code = button && document.querySelector(button.dataset.clipboardTarget);
  if (!code?.querySelector(".gp")) return;
  event.stopImmediatePropagation();
  const typed = code.innerText.split("\n").filter((line) => PROMPT.test(line));
  navigator.clipboard.writeText(typed.map((line) => line.replace(PROMPT, "")).join("\n"));
  button.title = "Copied";
}, true);
