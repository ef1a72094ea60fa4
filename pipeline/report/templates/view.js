"use strict";
/* Pairs come from the server a page at a time; texts reach the page as text only (textContent). A decision shows at once,
   is sent in order, and stays in the queue until the server says that it is on disk. */

const $ = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token");
const list = $("pairs");
const chosen = $("chosen");
const MAIN = ["similarity", "log_probability", "margin", "mining_margin"];
const PAGES_AHEAD = 20;
const LANGUAGES = { th: "Thai", vi: "Vietnamese" };

let rows = [];
let current = -1;
let left = 0;
let loading = null;
let asked = 0;
const undone = [];
const queue = [];
const refused = new Map();
let sending = false;
let pause = 0;

/* -- the server -- */

async function ask(path, options = {}) {
  const headers = { ...options.headers, "X-Mekong-Token": token };
  const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  const data = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  if (!answer.ok) throw Object.assign(new Error(data.error), { status: answer.status });
  return data;
}

async function load(fresh, facets = false) {
  if (!fresh && (loading || !left)) return loading;
  const mine = ++asked;
  const query = new URLSearchParams(new FormData(chosen));
  query.set("search", query.get("search").trim());
  if (!fresh) query.set("after", rows[rows.length - 1].number);
  if (facets) query.set("facets", "true");
  $("more").textContent = fresh ? "looking for pairs…" : "more…";
  const work = (async () => {
    try {
      const found = await ask(`/pairs?${query}`);
      if (mine !== asked) return;
      if (found.facets) offer(found.facets);
      if (fresh) {
        rows = [];
        list.replaceChildren();
        current = -1;
      }
      left = found.left;
      for (const row of found.rows) add(row);
      progress(found.progress);
      if (fresh) $("total").textContent = count(found.total, "pair");
      $("more").textContent = left ? "" : rows.length ? "That is all." : "No pair fits this choice.";
      if (fresh) {
        scrollTo(0, 0);
        select(0, false);
      }
    } catch (error) {
      if (mine === asked) $("more").textContent = `Pairs could not be read: ${error.message}`;
    } finally {
      if (mine === asked) loading = null;
    }
  })();
  loading = work;
  return work;
}

/* -- showing -- */

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
/* As the report shows them: control characters as pictures, what turns or hides text by its number. */
const hex = (char) => char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
const visible = (text) => text
  .replace(/[\x00-\x08\x0b-\x1f]/g, (char) => String.fromCharCode(0x2400 + char.charCodeAt(0)))
  .replace(/\x7f/g, "\u2421")
  .replace(/[\x80-\x9f]|\p{Surrogate}/gu, "\ufffd")
  .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu, (char) => `[U+${hex(char)}]`);

function option(select, value, text) {
  const item = document.createElement("option");
  item.value = value;
  item.textContent = visible(text);
  select.append(item);
  return item;
}

function offer(facets) {
  const fields = chosen.elements;
  for (const [name, number] of Object.entries(facets.reasons)) option(fields.reason, name, `${name} (${number})`);
  for (const [name, number] of Object.entries(facets.origins)) option(fields.origin, name, `${name} (${number})`);
  for (const [name, number] of Object.entries(facets.langs)) option(fields.lang, name, `${LANGUAGES[name] || name} (${number})`);
  for (const found of facets.documents) option(fields.document, found.id, `${found.label} (${found.pairs})`);
  for (const name of facets.scores) option(fields.sort, name, name);
  for (const name of ["reason", "origin", "lang"]) fields[name].parentElement.hidden = fields[name].options.length < 2;
  $("filters").hidden = false;
  document.querySelector(".tools").hidden = false;
}

function add(row) {
  const waiting = queue.concat(Array.from(refused.values())).filter((item) => item.row.pair === row.pair).pop();
  if (waiting) row.decision = waiting.keep;
  const item = $("row").content.firstElementChild.cloneNode(true);
  row.item = item;
  const set = (name, text) => { item.querySelector(name).textContent = visible(text); };
  set(".n", (row.number + 1).toLocaleString("en"));
  for (const name of [row.origin, row.document, row.english]) if (name) line(item.querySelector(".where"), name);
  set(".src", row.src);
  set(".tgt", row.tgt);
  item.querySelector(".src").lang = row.lang;
  for (const reason of row.reasons) chip(item.querySelector(".reasons"), reason);
  for (const problem of row.problems) chip(item.querySelector(".problems"), problem);
  const sorted = chosen.elements.sort.value;
  for (const [name, value] of Object.entries(row.scores)) {
    const first = MAIN.includes(name) || name === sorted;
    chip(item.querySelector(first ? ".main" : ".rest"), name, value, name === sorted);
  }
  const index = rows.push(row) - 1;
  item.addEventListener("click", () => select(index, false));
  mark(row);
  list.append(item);
}

function line(where, text) {
  const item = document.createElement("bdi");
  item.textContent = visible(text);
  where.append(item);
}

function chip(where, name, value, sorted) {
  const item = document.createElement("li");
  item.textContent = visible(name);
  if (value !== undefined) {
    const number = document.createElement("b");
    number.textContent = value.toLocaleString("en", { minimumFractionDigits: 3, maximumFractionDigits: 3 });
    item.append(" ", number);
  }
  item.classList.toggle("sorted", Boolean(sorted));
  where.append(item);
}

/* After another choice of pairs, the row of a pair is another object. */
const shown = (row) => rows.find((other) => other.pair === row.pair) || row;

function mark(row) {
  const byRule = row.reasons.length === 0;
  const kept = row.decision === null ? byRule : row.decision;
  row.item.dataset.kept = kept ? "yes" : "no";
  row.item.dataset.by = row.decision === null ? "rule" : "hand";
  const words = row.decision === null ? (kept ? "kept by the rules" : "rejected by the rules")
    : (kept ? "accepted by hand" : "rejected by hand");
  row.item.querySelector(".mark").textContent = `${kept ? "✓" : "✗"} ${words}`;
  const waiting = refused.get(row.pair);
  const unsaved = row.item.querySelector(".unsaved");
  unsaved.hidden = !waiting;
  unsaved.textContent = waiting ? `not saved: ${waiting.error}` : "";
}

function progress(found) {
  const decided = found.accepted + found.rejected;
  $("bar").max = found.pairs || 1;
  $("bar").value = decided;
  const parts = `${found.accepted.toLocaleString("en")} accepted, ${found.rejected.toLocaleString("en")} rejected`;
  $("progress").textContent =
    `${decided.toLocaleString("en")} of ${found.pairs.toLocaleString("en")} decided${decided ? `: ${parts}` : ""}`;
}

function select(index, focus = true) {
  if (index < 0 || index >= rows.length) return;
  if (rows[current]) rows[current].item.removeAttribute("aria-current");
  current = index;
  const item = rows[index].item;
  item.setAttribute("aria-current", "true");
  if (focus) {
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }
  if (index > rows.length - 10) load(false);
}

async function step(by) {
  const to = current + by; /* fixed before the wait, so that impatient keys do not skip pairs */
  if (to >= rows.length) await load(false);
  select(Math.min(Math.max(to, 0), rows.length - 1));
}

async function nextUndecided() {
  for (let pages = 0; pages <= PAGES_AHEAD; pages++) {
    const index = rows.findIndex((row, at) => at > current && row.decision === null);
    if (index >= 0) return select(index);
    if (!left) break;
    await load(false);
  }
  say(!left ? "no undecided pair after this one" : "none in the next pages: choose “undecided by hand”");
}

/* -- deciding and saving -- */

function decide(keep, remember = true) {
  const row = rows[current];
  if (!row || row.decision === keep) return;
  if (remember) undone.push({ row, keep: row.decision });
  put(row, keep);
}

function put(row, keep) {
  row.decision = keep;
  refused.delete(row.pair);
  mark(row);
  queue.push({ row, keep });
  send();
}

function undo() {
  const last = undone.pop();
  if (!last) return say("nothing to undo");
  const row = shown(last.row);
  put(row, last.keep);
  select(rows.indexOf(row));
}

async function send() {
  if (sending) return;
  sending = true;
  clearTimeout(pause);
  let wait = 0;
  while (queue.length) {
    const { row, keep } = queue[0];
    say(queue.length === 1 ? "saving…" : `saving ${queue.length}…`);
    try {
      const body = JSON.stringify({ pair: row.pair, text: row.text, keep });
      const answer = await ask("/decisions", { method: "POST", headers: { "Content-Type": "application/json" }, body });
      queue.shift();
      progress(answer.progress);
    } catch (error) {
      if (error.status && error.status < 500) {
        refused.set(row.pair, { ...queue.shift(), error: error.message });
        mark(shown(row));
        continue;
      }
      wait = 3000;
      say(`${count(queue.length, "decision")} not saved (${error.status ? error.message : "mekong view does not answer"}); ` +
        "trying again", "bad");
      break;
    }
  }
  sending = false;
  if (wait) pause = setTimeout(send, wait);
  else if (refused.size) say(`${count(refused.size, "decision")} not saved`, "bad");
  else say("saved", "good");
  $("again").hidden = !queue.length && !refused.size;
}

function sendAgain() {
  for (const item of refused.values()) queue.push(item);
  refused.clear();
  for (const { row } of queue) mark(shown(row));
  send();
}

function say(text, level = "") {
  $("saving").textContent = text;
  $("saving").dataset.level = level;
}

/* -- keys -- */

const ACTIONS = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  a: () => { decide(true); step(1); }, r: () => { decide(false); step(1); }, c: () => decide(null), u: undo, n: nextUndecided,
  s: () => { const more = rows[current] && rows[current].item.querySelector("details"); if (more) more.open = !more.open; select(current); },
  d: onlyDocument,
  "/": () => { $("filters").open = true; chosen.elements.search.focus(); chosen.elements.search.select(); },
  "?": () => $("help").showModal(),
};

function onlyDocument() {
  const field = chosen.elements.document;
  const row = rows[current];
  if (!row) return;
  const id = field.value ? "" : row.src_doc;
  if (!Array.from(field.options).some((item) => item.value === id)) option(field, id, row.document);
  field.value = id;
  load(true);
}

/* The key by its place on the keyboard where a Thai layout or an input method gives no Latin letter. */
function keyOf(event) {
  if (/^([!-~]|Arrow.*)$/.test(event.key)) return event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.code === "Slash") return event.shiftKey ? "?" : "/";
  return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key;
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (event.target.closest("input, select")) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.matches("input"))) {
      event.preventDefault();
      event.target.blur();
      select(current);
    }
    return;
  }
  const action = ACTIONS[keyOf(event)];
  /* A key that is held goes on through the pairs, but decides one of them only. */
  if (!action || (event.repeat && /^[arcu]$/.test(keyOf(event)))) return;
  event.preventDefault();
  action();
});

for (const button of document.querySelectorAll("[data-key]"))
  button.addEventListener("click", () => ACTIONS[button.dataset.key]());
$("again").addEventListener("click", sendAgain);
chosen.addEventListener("submit", (event) => event.preventDefault());
chosen.addEventListener("change", (event) => {
  if (event.target.matches("select")) event.target.blur();
  if (event.target.matches("select")) load(true);
});
let typing = 0;
chosen.elements.search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => load(true), 300);
});
new IntersectionObserver((seen) => { if (seen.some((entry) => entry.isIntersecting) && rows.length) load(false); },
  { rootMargin: "600px" }).observe($("more"));
addEventListener("beforeunload", (event) => { if (queue.length || refused.size) event.preventDefault(); });
$("filters").open = matchMedia("(min-width: 48.01rem)").matches;
load(true, true);
