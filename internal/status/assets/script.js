// Keeps the page up to date, shows how old it is, and requests another view when the filter
// changes. Without it the page works by reload.
"use strict";
const query = document.getElementById("q");
const wrong = document.getElementById("wrong");
const age = document.getElementById("age");
const banner = document.getElementById("lost");
const icon = document.querySelector("link[rel=icon]");
const main = document.querySelector("main");
const dry = document.getElementById("dry") ? "DRY RUN: " : "";
const host = document.querySelector(".host b").textContent;

// The row or cell of a piece of a table, which the server has written and escaped.
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Applies a change. It throws if the page is not what the change is of.
function apply(change) {
  for (const [id, html] of Object.entries(change.parts || {})) document.getElementById(id).outerHTML = html;
  for (const [id, cells] of Object.entries(change.cells || {})) {
    const row = document.getElementById(id);
    for (const [n, html] of Object.entries(cells)) row.cells[n].replaceWith(parse(html));
  }
  const rows = change.rows || {}, listed = new Set();
  for (const [list, ids] of Object.entries(change.lists || {})) {
    const body = document.getElementById(list);
    const elements = ids.map(id => rows[id] ? parse(rows[id]) : document.getElementById(id));
    if (elements.includes(null)) throw new Error("a row is missing");
    ids.forEach(id => listed.add(id));
    body.replaceChildren(...elements);
  }
  for (const [id, html] of Object.entries(rows)) {
    if (!listed.has(id)) document.getElementById(id).replaceWith(parse(html));
  }
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

// The icon without contact: no daemon is there then to fetch it from.
const lostIcon = "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' +
  '<rect width="16" height="16" rx="3" fill="#8b949e"/><path d="M4 4l8 8M12 4l-8 8" stroke="#fff" stroke-width="2.2" fill="none"/></svg>');

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

// The page has one version of one view. A stream that was refused, that ended, or that has
// nothing to say is opened again, and continues from that version.
let stream, opened, version = document.documentElement.dataset.version;

function listen() {
  if (stream) stream.close();
  opened = performance.now();
  const wanted = new URLSearchParams(location.search);
  if (version) wanted.set("version", version);
  const mine = stream = new EventSource("/stream?" + wanted);
  const on = (event, act) => mine.addEventListener(event, e => { if (mine === stream) act(e); });
  on("reload", () => { mine.close(); location.reload(); });
  on("view", e => {
    main.innerHTML = JSON.parse(e.data);
    version = e.lastEventId;
    main.removeAttribute("aria-busy");
    show();
  });
  on("parts", e => {
    try {
      apply(JSON.parse(e.data));
      version = e.lastEventId;
    } catch {
      version = ""; // the whole view comes again
      listen();
      return;
    }
    show();
  });
  on("age", e => fresh(e.data));
}

function watch() {
  show();
  const idle = (performance.now() - opened) / 1000;
  if (idle > retry && (stream.readyState !== EventSource.OPEN || seconds() > patience && idle > 2 * patience)) listen();
}

// The filter belongs to the address, so that it can be shared and survives a reload.
function filter() {
  const wanted = new URLSearchParams(location.search);
  for (const name of ["q", "wrong", "page", "vpage"]) wanted.delete(name);
  if (query.value.trim()) wanted.set("q", query.value.trim());
  if (wrong.checked) wanted.set("wrong", "1");
  const search = String(wanted) ? "?" + wanted : location.pathname;
  if (search === (location.search || location.pathname)) return;
  history.replaceState(null, "", search);
  version = "";
  main.setAttribute("aria-busy", "true");
  listen();
}

let typed;
query.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(filter, 250); });
wrong.addEventListener("change", filter);
document.getElementById("filter").addEventListener("submit", event => { event.preventDefault(); filter(); });
listen();
setInterval(watch, 1000);
