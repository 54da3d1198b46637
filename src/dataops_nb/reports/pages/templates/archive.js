(() => {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const page = /^#(before|after)-/.test(location.hash) && place?.closest("li")?.querySelector("a");
  if (page) location.replace(page.href);
})();
