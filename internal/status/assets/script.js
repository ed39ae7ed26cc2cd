// Keeps the page up to date and filters it. Without it the page works by reload.
"use strict";
const query = document.getElementById("q");
const wrong = document.getElementById("wrong");
const live = document.getElementById("live");

function fits(row) {
  const text = query.value.trim().toLowerCase();
  return (!text || row.dataset.find.includes(text)) && (!wrong.checked || "wrong" in row.dataset);
}

function filterRow(row) {
  row.classList.toggle("out", !fits(row));
}

// A virtual service without a row to show is not shown.
function filterService(service) {
  const filtered = query.value.trim() || wrong.checked;
  service.classList.toggle("out", Boolean(filtered) && !service.querySelector("tbody tr:not(.out)"));
}

function filter() {
  document.querySelectorAll("tbody tr").forEach(filterRow);
  document.querySelectorAll(".service").forEach(filterService);
}

function replace(id, html) {
  const old = document.getElementById(id);
  if (!old) return; // the server has filtered it out
  old.outerHTML = html;
  const row = document.getElementById(id);
  if (row.tagName !== "TR") return;
  filterRow(row);
  filterService(row.closest(".service"));
}

function listen() {
  const stream = new EventSource("/stream?version=" + encodeURIComponent(document.documentElement.dataset.version));
  stream.addEventListener("open", () => { live.hidden = false; });
  stream.addEventListener("error", () => { live.hidden = true; });
  stream.addEventListener("reload", () => { stream.close(); location.reload(); });
  stream.addEventListener("parts", event => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) replace(id, html);
    const title = document.querySelector("#summary h1").textContent;
    document.title = title + " - " + document.querySelector(".host b").textContent;
  });
}

query.addEventListener("input", filter);
wrong.addEventListener("change", filter);
filter();
listen();
