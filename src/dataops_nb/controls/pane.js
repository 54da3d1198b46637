// What the whole panel needs once it is on the page. Vega looks at the width of its place when the window changes, and not when
// that place is first shown; and in JupyterLab an arrow is a command of the notebook, unless what has the focus says otherwise.
function host(el) {
  let width = 0;
  const tell = () => window.dispatchEvent(new Event("resize"));
  const own = (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  new ResizeObserver(() => {
    if (Math.abs(el.clientWidth - width) < 1) return;
    if (width === 0) el.closest(".nb-explore")?.addEventListener("focusin", own);
    width = el.clientWidth;
    tell();
    setTimeout(tell, 400);
  }).observe(el);
}

// HTML that is read out when it changes: the region stays, and only what stands in it is another one.
function render({ model, el }) {
  el.classList.add("nb-pane");
  if (model.get("live")) {
    el.setAttribute("role", "status");
    el.setAttribute("aria-live", "polite");
  }
  if (model.get("label")) {
    if (!model.get("live")) el.setAttribute("role", "region");
    el.setAttribute("aria-label", model.get("label"));
  }
  const show = () => { el.innerHTML = model.get("html"); };
  model.on("change:html", show);
  if (model.get("hosts")) host(el);
  show();
}
export default { render };
