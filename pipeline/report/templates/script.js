"use strict";
/* The page is complete without this: it adds sorting by column, finding text, and opening what a link points to. */

function sortBy(table, column, button) {
  const body = table.tBodies[0];
  const ascending = button.parentElement.getAttribute("aria-sort") !== "ascending";
  const value = (row) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v === "" ? -Infinity : Number(cell.dataset.v);
  };
  const rows = Array.from(body.rows).sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true });
    return ascending ? order : -order;
  });
  for (const header of table.tHead.rows[0].cells) header.removeAttribute("aria-sort");
  button.parentElement.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.plain")) {
  if (table.tBodies[0].rows.length < 2) continue;
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    if (header.dataset.fixed !== undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(table, column, button));
    header.append(button);
  });
}

for (const input of document.querySelectorAll("input[data-filter]")) {
  const box = input.closest(".search");
  const section = document.getElementById(input.dataset.filter);
  const items = Array.from(section.querySelectorAll("tbody > tr, details.reading"));
  if (items.length < 8) continue;
  box.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().normalize("NFC").toLowerCase();
    let shown = 0;
    for (const item of items) {
      const hit = !wanted || item.textContent.toLowerCase().includes(wanted);
      item.hidden = !hit;
      shown += hit;
    }
    for (const part of section.querySelectorAll("details:has(> table)")) {
      if (part.dataset.was === undefined) part.dataset.was = part.open;
      part.open = wanted ? part.querySelector("tbody > tr:not([hidden])") !== null : part.dataset.was === "true";
      if (!wanted) delete part.dataset.was;
    }
    box.querySelector("output").textContent = wanted ? `${shown} of ${items.length}` : "";
  });
}

/* A click in a drawing of an alignment shows the row that it links to beside the drawing. */
function readBeside(svg, reader, href) {
  const row = document.getElementById(href.slice(1));
  for (const link of svg.querySelectorAll("a")) link.classList.toggle("chosen", link.getAttribute("href") === href);
  const steps = document.createElement("nav");
  for (const [name, other] of [["previous", row.previousElementSibling], ["next", row.nextElementSibling]]) {
    const link = document.createElement("a");
    link.textContent = name;
    if (other) link.href = `#${other.id}`;
    steps.append(link);
  }
  const had = reader.contains(document.activeElement) ? document.activeElement.textContent : null;
  const heads = row.closest("table").tHead.rows[0].cells;
  const parts = Array.from(row.cells, (cell, column) => {
    const part = document.createElement("div");
    const head = document.createElement("small");
    head.textContent = heads[column].textContent;
    part.append(head);
    for (const name of ["lang", "dir"]) if (cell.hasAttribute(name)) part.setAttribute(name, cell.getAttribute(name));
    part.append(...cell.cloneNode(true).childNodes);
    return part;
  });
  reader.replaceChildren(steps, ...parts);
  reader.hidden = false;
  /* The link that was followed is gone: the one of its name, or at an end the other, is where the keyboard goes on. */
  const next = Array.from(steps.querySelectorAll("a[href]"));
  if (had && next.length) (next.find((link) => link.textContent === had) || next[0]).focus({ preventScroll: true });
  reader.scrollIntoView({ block: "nearest" });
}

for (const drawing of document.querySelectorAll(".drawing")) {
  const [svg, reader] = [drawing.querySelector("svg"), drawing.querySelector(".reader")];
  drawing.addEventListener("click", (event) => {
    const link = event.target.closest("svg a, .reader nav a[href]");
    if (!link) return;
    event.preventDefault();
    readBeside(svg, reader, link.getAttribute("href"));
  });
}

for (const commands of document.querySelectorAll("pre.commands")) {
  if (!navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(commands.textContent);
    button.textContent = "Copied";
  });
  commands.before(button);
}

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && target.closest("details");
  if (details) details.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();
