(() => {
  const field = document.getElementById("nb-find");
  const all = document.getElementById("metrics");
  if (!field || !all) return;
  const said = document.getElementById("nb-found");
  const rows = [...all.querySelectorAll("li")].map(row => [row, `${row.textContent} ${row.dataset.find}`.toLowerCase()]);
  const find = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) count += !(row.hidden = !words.every(word => text.includes(word)));
    all.open = words.length > 0 || all.open;
    document.body.classList.toggle("nb-finding", words.length > 0);
    said.textContent = words.length ? `${count} of ${rows.length} metrics` : "";
  };
  field.addEventListener("input", find);
  field.addEventListener("keydown", event => {
    if (event.key === "Enter") all.querySelector("li:not([hidden]) a")?.click();
  });
  field.parentElement.hidden = false;
  if (field.value) find();
})();
