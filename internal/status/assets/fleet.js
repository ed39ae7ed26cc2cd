// Loads the page of the fleet again each 5 s, and counts the ages. While that fails the page is
// grey and says so: it tells nothing about now.
"use strict";
const pause = 5000, patience = 20000; // milliseconds
const age = document.getElementById("age"), banner = document.getElementById("lost"), root = document.documentElement;
let began, steady, title;

function loaded() {
  [began, steady, title] = [Date.now(), performance.now(), document.title];
  lost(false);
}

// Either clock may stand still while the machine sleeps.
const passed = () => Math.floor(Math.max(Date.now() - began, performance.now() - steady, 0) / 1000);

function lost(is) {
  document.body.classList.toggle("stale", is);
  banner.hidden = !is;
  if (is) banner.textContent = `No contact for ${passed()} s: this is the last known state`;
  document.title = is ? "NO CONTACT, last: " + title : title;
}

async function renew() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(patience) });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(document.adoptNode(fresh.querySelector("main")));
    [document.title, root.dataset.age] = [fresh.title, fresh.documentElement.dataset.age];
    loaded();
    count();
  } catch {
    lost(true);
  }
  setTimeout(renew, pause);
}

function count() {
  age.textContent = `asked ${Number(root.dataset.age) + passed()} s ago`;
  for (const e of document.querySelectorAll(".seconds")) e.textContent = Number(e.dataset.age) + passed();
  if (passed() * 1000 > patience || !banner.hidden) lost(true);
}

loaded();
setInterval(count, 1000);
setTimeout(renew, pause);
