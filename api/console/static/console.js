// What every page does: asks before what cannot be undone, sends a form once, follows its stream, uploads.
import { follow } from "./live.js";
import { prepareUpload } from "./upload.js";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ask && !window.confirm(form.dataset.ask)) {
    event.preventDefault();
    return;
  }
  // After the form's own data were gathered: a disabled button sends no name.
  setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = form.method === "post")));
});

// Back from a page that followed: what was pressed can be pressed again.
window.addEventListener("pageshow", () => document.querySelectorAll("button:disabled").forEach((b) => (b.disabled = false)));

document.getElementById("mistakes")?.focus();
document.querySelectorAll("[data-live]").forEach((element) => follow(element.dataset.live));
const form = document.getElementById("upload-form");
if (form) prepareUpload(form);
