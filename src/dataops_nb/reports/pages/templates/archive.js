(() => {
  const mark = decodeURIComponent(location.hash.slice(1));
  const [, way, period] = mark.match(/^(before|after)-(.*)$/) || [];
  if (!way) return;
  const place = document.getElementById(mark);
  const page = place?.closest("li")?.querySelector("a");
  if (page) location.replace(page.href);
  if (place) return;
  const older = [...document.querySelectorAll("a[data-from]")];
  const there = way === "before"
    ? older.find(one => one.dataset.from < period) || older.at(-1)
    : older.findLast(one => one.dataset.to > period);
  if (there) location.replace(there.href + location.hash);
})();
