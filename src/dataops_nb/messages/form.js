const about = ABOUT, mail = MAIL, form = document.querySelector("form"), invited = location.hash.slice(1);
if (/^[a-z0-9]+$/.test(invited)) { form.reader.value = invited; form.reader.readOnly = true; }
const answer = () => {
  if (!form.reportValidity()) return null;
  const said = Object.fromEntries(new FormData(form));
  return JSON.stringify({...said, ...about}, null, 1);
};
document.getElementById("save").addEventListener("click", () => {
  const text = answer();
  if (text === null) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
  link.download = "answer-" + about.metric + "-" + form.reader.value.replace(/[^a-z0-9]/gi, "") + ".json";
  link.click();
  document.getElementById("done").textContent = "Saved. Please send the file to the person who invited you.";
});
if (mail) document.getElementById("mail").addEventListener("click", () => {
  const text = answer();
  if (text !== null) location.href = "mailto:" + mail + "?subject=What%20I%20understood&body=" + encodeURIComponent(text);
});
