(() => {
  const field = document.getElementById("nb-find");
  const lists = [...document.querySelectorAll("details.nb-findable")];
  if (!field || !lists.length) return;
  const what = lists.map(list => list.id).join(" and ");
  const said = document.getElementById("nb-found");
  const rows = lists.flatMap(list => [...list.querySelectorAll("li")]).map(row => [row, `${row.textContent} ${row.dataset.find || ""}`.toLowerCase()]);
  const find = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) count += !(row.hidden = !words.every(word => text.includes(word)));
    for (const list of lists) {
      list.open = words.length > 0 || list.open;
      for (const part of list.querySelectorAll("section")) part.hidden = !part.querySelector("li:not([hidden])");
    }
    document.body.classList.toggle("nb-finding", words.length > 0);
    said.textContent = words.length ? `${count} of ${rows.length} ${what}` : "";
  };
  field.addEventListener("input", find);
  field.addEventListener("keydown", event => {
    if (event.key === "Enter") rows.find(([row]) => !row.hidden && row.querySelector("a"))?.[0].querySelector("a").click();
  });
  field.parentElement.hidden = false;
  if (field.value) find();
})();
