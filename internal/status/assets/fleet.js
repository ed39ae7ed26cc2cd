// Counts the ages of the page of the fleet, which loads itself again each 5 s. When that fails,
// the page turns grey: it says nothing about now.
"use strict";
const patience = 20; // seconds
const began = Date.now(), steady = performance.now();
const age = document.getElementById("age"), banner = document.getElementById("lost");
const known = Number(document.documentElement.dataset.age);

setInterval(() => {
  const passed = Math.floor(Math.max(Date.now() - began, performance.now() - steady, 0) / 1000);
  age.textContent = `asked ${known + passed} s ago`;
  for (const e of document.querySelectorAll(".seconds")) e.textContent = Number(e.dataset.age) + passed;
  if (passed > patience) {
    banner.textContent = `No contact for ${passed} s: this is the last known state`;
    banner.hidden = false;
    document.body.classList.add("stale");
  }
}, 1000);
