// The theme puts each button that copies into a landmark of its own, all without a name.
const unnamed = () => {
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "none");
};
new MutationObserver(unnamed).observe(document.documentElement, { childList: true, subtree: true });
unnamed();
