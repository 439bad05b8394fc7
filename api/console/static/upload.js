// A file from this computer goes up first; the form then names it. Where no files are kept, it travels in the request.

export function prepareUpload(form) {
  const input = form.querySelector("#local"), most = Number(form.dataset.mostBytes);
  let sending = false;
  form.querySelector(".scripted").hidden = false;
  input.addEventListener("change", () => {
    const file = input.files[0];
    const kind = file?.type.split("/")[0], choice = form.querySelector("#kind");
    if (file && choice) choice.value = ["video", "image", "audio"].includes(kind) ? kind : "file";
    input.setCustomValidity(file && file.size > most ? `This file has ${file.size} bytes; ${most} is the most.` : "");
    input.reportValidity();
  });
  form.addEventListener("submit", async (event) => {
    const file = input.files[0];
    if (!file || sending) return;
    event.preventDefault();
    event.stopPropagation();
    sending = true;
    const button = event.submitter;
    button.disabled = true;
    try {
      if (form.dataset.upload) form.querySelector("#file_id").value = (await upload(form, file)).id;
      else form.querySelector("#medium_url").value = await dataUri(file);
      input.value = "";
      button.disabled = false;
      form.requestSubmit(button);
    } catch (error) {
      say(error.message, null);
      button.disabled = false;
    } finally {
      sending = false;
    }
  });
}

function upload(form, file) {
  return new Promise((done, failed) => {
    const body = new FormData(), request = new XMLHttpRequest();
    body.append("purpose", form.dataset.purpose);
    body.append("file", file);
    request.open("POST", form.dataset.upload);
    request.setRequestHeader("X-CSRF-Token", document.body.dataset.token);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => say(`${file.name} is uploaded …`, event.loaded / event.total));
    request.addEventListener("error", () => failed(new Error("The upload was cut off. Submit again to repeat it.")));
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* a proxy's page, maybe */ }
      if (request.status === 200 && answer.id) { say(`${file.name} is uploaded.`, 1); done(answer); }
      else failed(new Error(answer.error?.message ?? `The upload was refused (HTTP ${request.status}).`));
    });
    request.send(body);
  });
}

function dataUri(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result));
    reader.addEventListener("error", () => failed(new Error("The file cannot be read.")));
    reader.readAsDataURL(file);
  });
}

function say(text, share) {
  document.getElementById("upload").hidden = false;
  document.getElementById("upload-said").textContent = text;
  const bar = document.getElementById("upload-progress");
  bar.hidden = share === null;
  if (share !== null) bar.value = share;
}
