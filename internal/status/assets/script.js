// Keeps the page up to date, says how old it is, and filters it. Without it the
// page works by reload.
"use strict";
const query = document.getElementById("q");
const wrong = document.getElementById("wrong");
const age = document.getElementById("age");
const banner = document.getElementById("lost");
const icon = document.querySelector("link[rel=icon]");
const dry = document.getElementById("dry") ? "DRY RUN: " : "";
const host = document.querySelector(".host b").textContent;

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

// How old the data is. A wall clock jumps and a monotonic one may stop while the
// machine sleeps: the older age is the true one.
const patience = 7, retry = 3; // seconds
let wall = Date.now(), steady = performance.now(), known = Number(document.documentElement.dataset.age);

function seconds() {
  return known + Math.max(Date.now() - wall, performance.now() - steady, 0) / 1000;
}

function fresh(data) {
  wall = Date.now();
  steady = performance.now();
  known = Number(data);
  show();
}

// The icon without contact is fetched while there is contact.
let lostIcon = "/icon-lost.svg";

async function keepIcon() {
  const answer = await fetch(lostIcon).catch(() => null);
  if (answer && answer.ok) lostIcon = "data:image/svg+xml," + encodeURIComponent(await answer.text());
}

function show() {
  const old = seconds(), lost = old > patience;
  age.textContent = "data " + Math.round(old) + " s old";
  if (lost) banner.textContent = "no contact since " + new Date(Date.now() - old * 1000).toTimeString().slice(0, 8);
  banner.hidden = !lost;
  document.body.classList.toggle("stale", lost);
  const summary = document.querySelector("#summary h1").textContent;
  document.title = (lost ? "NO CONTACT, last: " : "") + dry + summary + " - " + host;
  const image = lost ? lostIcon : "/icon.svg";
  if (icon.getAttribute("href") !== image) icon.href = image;
}

// A stream that was refused, that ended, or that has nothing to say is opened
// again.
let stream, opened;

function listen() {
  if (stream) stream.close();
  opened = performance.now();
  stream = new EventSource("/stream?version=" + encodeURIComponent(document.documentElement.dataset.version));
  stream.addEventListener("reload", () => { stream.close(); location.reload(); });
  stream.addEventListener("parts", event => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) replace(id, html);
    show();
  });
  stream.addEventListener("age", event => fresh(event.data));
}

function watch() {
  show();
  const idle = (performance.now() - opened) / 1000;
  if (idle > retry && (stream.readyState !== EventSource.OPEN || seconds() > patience && idle > 2 * patience)) listen();
}

query.addEventListener("input", filter);
wrong.addEventListener("change", filter);
filter();
keepIcon();
listen();
setInterval(watch, 1000);
