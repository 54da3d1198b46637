// A labelled slider with a field for the exact number. The browser's own, so arrows, Page Up, Home and End work as everywhere.
function render({ model, el }) {
  const id = "nb-" + Math.random().toString(36).slice(2);
  el.classList.add("nb-slider");
  el.innerHTML = `<label for="${id}"></label><input type="range" id="${id}"><span class="nb-exact">
    <input type="number"><span class="nb-unit"></span></span>`;
  const [label, range, exact, unit] = ["label", "input[type=range]", "input[type=number]", ".nb-unit"].map((q) => el.querySelector(q));
  const scale = () => model.get("scale");
  let typing = false;  // what is being typed is nobody else's to change, and is said once
  const shown = (value) => Number((value * scale()).toPrecision(10));
  const show = () => {
    const off = model.get("off");
    label.textContent = model.get("label");
    el.title = model.get("hint");
    for (const input of [range, exact]) {
      input.min = shown(model.get("low"));
      input.step = shown(model.get("step"));
      input.disabled = off;
    }
    range.max = shown(Math.max(model.get("high"), model.get("value")));
    exact.step = "any";
    unit.textContent = model.get("unit");
    exact.setAttribute("aria-label", `${model.get("label")}, exactly, ${model.get("unit")}`.replace(/, $/, ""));
    const value = shown(model.get("value"));
    if (!typing) exact.value = off ? "" : value;
    range.value = value;
    range.setAttribute("aria-valuetext", `${value} ${model.get("unit")}`.trim());
    el.style.setProperty("--nb-share", `${(100 * (range.value - range.min)) / (range.max - range.min || 1)}%`);
  };
  const said = (text) => {
    const value = Number(text);
    if (text === "" || !Number.isFinite(value) || value < Number(range.min)) return;
    model.set("value", value / scale());
    show();
    model.save_changes();
  };
  range.addEventListener("input", () => { said(range.value); exact.value = range.value; });
  const typed = () => {
    if (typing) said(exact.value);
    typing = false;
  };
  exact.addEventListener("input", () => { typing = true; });
  exact.addEventListener("change", typed);
  exact.addEventListener("keydown", (event) => { if (event.key === "Enter") typed(); });
  exact.addEventListener("blur", () => { typing = false; show(); });
  model.on("change", show);
  show();
}
export default { render };
