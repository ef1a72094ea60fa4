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
    const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
    return ascending ? order : -order;
  });
  for (const header of table.tHead.rows[0].cells) header.removeAttribute("aria-sort");
  button.parentElement.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.plain")) {
  if (table.tBodies[0].rows.length < 2) continue;
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
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
    box.querySelector("output").textContent = wanted ? `${shown} of ${items.length}` : "";
  });
}

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && target.closest("details");
  if (details) details.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();
