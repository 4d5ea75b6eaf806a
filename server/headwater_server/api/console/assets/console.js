// The console: editor, variables, answer, history, examples and the schema beside them.
import { LEXEME, complete } from "./complete.js";
import { ask, named, read, spelled } from "./schema.js";

const $ = (id) => document.getElementById(id);
const query = $("query"), paint = $("paint"), menu = $("menu"), variables = $("variables"), answer = $("answer");
const MAC = /Mac|iPhone/.test(navigator.platform);
let schema = null, shown = null, chosen = 0;

const EXAMPLES = {
  "What is here?": "{\n  server {\n    version\n    backend\n    nodeCount\n    edgeCount\n  }\n  namespaces(first: 20) {\n    totalCount\n    edges {\n      node {\n        name\n        datasetCount\n        jobCount\n      }\n    }\n  }\n}",
  "Search": "query Search($words: String!) {\n  search(query: $words, first: 10) {\n    totalCount\n    edges {\n      score\n      node {\n        kind\n        urn\n      }\n    }\n  }\n}\n---\n{\"words\": \"orders\"}",
  "Lineage of a dataset": "query Lineage($ref: String!) {\n  lineage(ref: $ref, direction: BOTH, depth: 3) {\n    totalNodes\n    truncated\n    nodes {\n      depth\n      kind\n      name\n    }\n    edges {\n      source\n      target\n      kind\n      evidence\n    }\n  }\n}\n---\n{\"ref\": \"namespace/name\"}",
  "What breaks if a column goes?": "query Impact($ref: String!, $columns: [String!]) {\n  impact(input: {ref: $ref, change: COLUMN_DROP, columns: $columns, first: 20}) {\n    summary {\n      bySeverity {\n        severity\n        count\n      }\n      productionModels {\n        urn\n      }\n    }\n    items {\n      totalCount\n      edges {\n        node {\n          severity\n          score\n          entity {\n            urn\n          }\n          reasons {\n            text\n          }\n          path {\n            text\n          }\n        }\n      }\n    }\n  }\n}\n---\n{\"ref\": \"namespace/name\", \"columns\": [\"id\"]}",
  "Models in production": "{\n  modelsInStage(stage: \"Production\") {\n    edges {\n      node {\n        urn\n        run {\n          runId\n        }\n        trainedOn {\n          version\n          dataset {\n            urn\n          }\n        }\n      }\n    }\n  }\n}",
};

const CLASSES = [[/^#/, "c"], [/^"/, "s"], [/^-?\d/, "n"], [/^[$@]/, "a"], [/^(query|mutation|fragment|on|true|false|null)$/, "k"], [/^[{}()[\]:=!|&.]/, "p"]];
function colour(text, into, lexeme = LEXEME, classes = CLASSES) {
  const out = document.createDocumentFragment();
  for (const [token] of text.matchAll(lexeme)) {
    const found = classes.find(([pattern]) => pattern.test(token));
    if (!found) { out.append(token); continue; }
    const span = document.createElement("span");
    span.className = found[1];
    span.textContent = token;
    out.append(span);
  }
  into.replaceChildren(out);
}

const JSON_LEXEME = /"(?:\\.|[^"\\])*"(?:\s*:)?|-?\d[\d.eE+-]*|true|false|null|[{}[\],]|\s+|./g;
const JSON_CLASSES = [[/^".*:$/s, "k"], [/^"/, "s"], [/^-?\d/, "n"], [/^(true|false|null)$/, "a"], [/^[{}[\],]/, "p"]];

function repaint() {
  colour(query.value + "\n", paint);
  follow();
  save();
}
function follow() { paint.scrollTop = query.scrollTop; paint.scrollLeft = query.scrollLeft; }

// Storage may be forbidden: then nothing is remembered.
const kept = (key, fallback) => { try { return JSON.parse(localStorage.getItem(key)) ?? fallback; } catch { return fallback; } };
const keep = (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* as it is */ } };
function save() { keep("headwater.console", { query: query.value, variables: variables.value }); }

function put(text) {
  const [source, values] = text.split("\n---\n");
  query.value = source;
  variables.value = values ?? "";
  $("drawer").open = true;
  repaint();
  query.focus();
}

function replace(start, end, text) {
  query.setSelectionRange(start, end);
  // keeps the browser's own undo
  if (!document.execCommand("insertText", false, text)) query.setRangeText(text, start, end, "end");
  repaint();
}

async function run() {
  close();
  let values = {};
  try {
    values = variables.value.trim() ? JSON.parse(variables.value) : {};
  } catch (error) {
    return say(`The variables are not JSON: ${error.message}`, true);
  }
  const names = [...query.value.matchAll(/^\s*(?:query|mutation)\s+(\w+)/gm)].map((m) => ({ name: m[1], at: m.index }));
  const operation = names.length > 1 ? names.filter((n) => n.at <= query.selectionStart).pop() ?? names[0] : undefined;
  $("run").disabled = true;
  say("…");
  const began = performance.now();
  try {
    const { status, body } = await ask(query.value, values, operation?.name);
    const text = JSON.stringify(body, null, 2);
    if (text.length < 400_000) colour(text, answer, JSON_LEXEME, JSON_CLASSES);
    else answer.textContent = text;
    const cost = body.extensions?.cost, errors = body.errors?.length ?? 0;
    const parts = [`${Math.round(performance.now() - began)} ms`, `${(text.length / 1024).toFixed(1)} kB`];
    if (cost !== undefined) parts.push(`cost ${cost}`);
    if (status !== 200) parts.push(`HTTP ${status}`);
    if (errors) parts.push(errors === 1 ? "1 error" : `${errors} errors`);
    say(parts.join(" · "), errors > 0);
    remember();
  } catch (error) {
    say(`The server does not answer: ${error.message}`, true);
  } finally {
    $("run").disabled = false;
  }
}
function say(text, bad = false) { $("status").textContent = text; $("status").classList.toggle("bad", bad); }

function remember() {
  const entry = { query: query.value, variables: variables.value, at: new Date().toISOString() };
  const past = kept("headwater.history", []).filter((old) => old.query !== entry.query || old.variables !== entry.variables);
  keep("headwater.history", [entry, ...past].slice(0, 30));
  listHistory();
}
function listHistory() {
  const options = kept("headwater.history", []).map((entry, i) => {
    const line = entry.query.replace(/#[^\n]*/g, "").replace(/\s+/g, " ").trim();
    return new Option(`${entry.at.slice(11, 16)}  ${line.slice(0, 60)}`, i);
  });
  $("history").replaceChildren(new Option("choose…", ""), ...options);
}

// A plain rule: one brace, one line; strings and comments stay.
function tidy(text) {
  const tokens = [...text.matchAll(LEXEME)].map(([t]) => t).filter((t) => !/^[\s,]+$/.test(t));
  let out = "", depth = 0, round = 0;
  const line = () => { out = out.trimEnd() + "\n" + "  ".repeat(depth); };
  tokens.forEach((token, i) => {
    const last = tokens[i - 1] ?? "";
    if (token === "{" && !round) { out = out.trimEnd() + (out.trim() && !out.endsWith("\n") ? " {" : "{"); depth++; line(); }
    else if (token === "}" && !round) { depth--; line(); out += "}"; if (depth) line(); else out += "\n\n"; }
    else if (token.startsWith("#")) { out += token; line(); }
    else {
      if ("([{".includes(token)) round++;
      if (")]}".includes(token)) round--;
      const word = /^[\w$@".-]/.test(token), afterWord = /[\w"$!\])}]$/.test(last);
      if (round || ")]}:".includes(token)) {
        if ((word || token === "=" || token === "{" || token === "[") && last && !"([{:".includes(last)) out += /[:=]/.test(last) ? " " : last === "..." ? "" : ", ";
        else if (last === ":" ) out += " ";
      } else if (word && (afterWord || last === "...")) {
        const glued = last === "..." || /^(query|mutation|fragment|on)$/.test(last) || token === "on" || token.startsWith("@") || !depth;
        if (glued) out += out.endsWith(" ") || out.endsWith("\n") ? "" : last === "..." && token !== "on" ? "" : " ";
        else line();
      } else if (word && last === ":") out += " ";
      else if (token === "..." && afterWord) line();
      out += token;
    }
  });
  return out.replace(/, (=|!)/g, " $1").replace(/[ \t]+\n/g, "\n").trim() + "\n";
}

function open(force) {
  if (!schema || query.selectionStart !== query.selectionEnd) return close();
  const found = complete(schema, query.value, query.selectionStart);
  const only = found?.items.length === 1 && found.items[0].name === found.word;
  if (!found || !found.items.length || only || (!found.word && !force)) return close();
  shown = found;
  chosen = 0;
  const rows = found.items.map((item, i) => {
    const row = document.createElement("li"), about = document.createElement("small");
    row.role = "option";
    row.id = `option-${i}`;
    about.textContent = item.about;
    row.append(item.name, about);
    row.addEventListener("mousedown", (event) => { event.preventDefault(); chosen = i; accept(); });
    return row;
  });
  menu.replaceChildren(...rows);
  const upto = query.value.slice(0, found.start).split("\n");
  const style = getComputedStyle(query), high = parseFloat(style.lineHeight), wide = characterWidth(style);
  const top = upto.length * high + 14 - query.scrollTop, left = upto[upto.length - 1].length * wide + 16 - query.scrollLeft;
  menu.hidden = false;
  const room = $("editor").getBoundingClientRect();
  menu.style.top = `${top + menu.offsetHeight > room.height ? Math.max(0, top - high - menu.offsetHeight) : top}px`;
  menu.style.left = `${Math.max(0, Math.min(left, room.width - menu.offsetWidth - 8))}px`;
  mark();
}
function characterWidth(style) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `${style.fontSize} ${style.fontFamily}`;
  return context.measureText("0".repeat(50)).width / 50;
}
function close() { menu.hidden = true; shown = null; query.removeAttribute("aria-activedescendant"); $("hint").textContent = HINT; }
function mark() {
  [...menu.children].forEach((row, i) => row.setAttribute("aria-selected", i === chosen));
  menu.children[chosen]?.scrollIntoView({ block: "nearest" });
  query.setAttribute("aria-activedescendant", `option-${chosen}`);
  const item = shown.items[chosen];
  $("hint").textContent = item.description || `${item.name} ${item.about}`;
}
function accept() {
  const { start, word, items } = shown, item = items[chosen];
  replace(start, start + word.length, item.name + (item.after ?? ""));
  close();
}

const HINT = MAC ? "⌘↵ run · ⌃Space complete · ⇧⌘F tidy · ⇧⌘E schema" : "Ctrl+Enter run · Ctrl+Space complete · Shift+Ctrl+F tidy · Shift+Ctrl+E schema";
query.addEventListener("input", () => { repaint(); open(false); });
query.addEventListener("scroll", () => { follow(); if (shown) close(); });
query.addEventListener("blur", close);
query.addEventListener("keydown", (event) => {
  if (shown) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); chosen = (chosen + step + shown.items.length) % shown.items.length; return mark(); }
    if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey) { event.preventDefault(); return accept(); }
    if (event.key === "Escape") { event.preventDefault(); return close(); }
  }
  if (event.key === " " && event.ctrlKey) { event.preventDefault(); return open(true); }
  if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    const before = query.value.slice(0, query.selectionStart), after = query.value.slice(query.selectionEnd);
    const indent = /[^\n]*$/.exec(before)[0].match(/^\s*/)[0], opens = /[{(]\s*$/.test(before), closes = /^\s*[})]/.test(after);
    replace(query.selectionStart, query.selectionEnd, "\n" + indent + (opens ? "  " : "") + (opens && closes ? "\n" + indent : ""));
    if (opens && closes) query.selectionStart = query.selectionEnd = query.selectionEnd - indent.length - 1;
  } else if ("{(".includes(event.key) && event.key.length === 1 && /^\s*$|^[)}\s]/.test(query.value.slice(query.selectionEnd, query.selectionEnd + 1))) {
    event.preventDefault();
    replace(query.selectionStart, query.selectionEnd, event.key + (event.key === "{" ? "}" : ")"));
    query.selectionStart = query.selectionEnd = query.selectionEnd - 1;
    open(true);
  }
});
document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === "Enter") { event.preventDefault(); run(); }
  else if (command && event.shiftKey && event.key.toLowerCase() === "f") { event.preventDefault(); $("tidy").click(); }
  else if (command && event.shiftKey && event.key.toLowerCase() === "e") { event.preventDefault(); $("toggle").click(); }
});
variables.addEventListener("input", save);
$("run").addEventListener("click", run);
$("tidy").addEventListener("click", () => replace(0, query.value.length, tidy(query.value)));
$("toggle").addEventListener("click", () => {
  const bare = document.body.classList.toggle("bare");
  $("toggle").setAttribute("aria-expanded", !bare);
});
for (const name of Object.keys(EXAMPLES)) $("examples").append(new Option(name, name));
$("examples").addEventListener("change", (event) => { if (event.target.value) put(EXAMPLES[event.target.value]); event.target.value = ""; });
$("history").addEventListener("change", (event) => {
  const entry = kept("headwater.history", [])[event.target.value];
  if (entry) put(entry.query + (entry.variables ? "\n---\n" + entry.variables : ""));
  event.target.value = "";
});

// The schema, page by page.
const trail = [];
function element(tag, className, ...inside) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}
function link(name, text = name) {
  const made = element("button", "link", text);
  made.addEventListener("click", () => visit(name));
  return made;
}
function visit(name) {
  const at = trail.indexOf(name);
  if (at >= 0) trail.length = at;
  trail.push(name);
  const crumbs = trail.slice(-4, -1).flatMap((step) => [link(step), " › "]);
  $("trail").replaceChildren(link(schema.query, "Start"), " › ", ...crumbs, name);
  const type = schema.types.get(name);
  const parts = [element("h2", "", name)];
  if (type.description) parts.push(element("p", "", type.description));
  if (type.interfaces?.length) parts.push(element("p", "", "is a ", ...type.interfaces.flatMap((i) => [link(i.name), " "])));
  section(parts, "Fields", type.fields, field);
  section(parts, "Fields", type.inputFields, field);
  section(parts, "Values", type.enumValues, (v) => element("div", "field", v.name, ...(v.description ? [element("p", "", v.description)] : [])));
  section(parts, "One of", type.possibleTypes, (t) => element("div", "field", link(t.name)));
  $("pages").replaceChildren(...parts);
  $("docs").scrollTop = 0;
}
function section(parts, title, things, show) {
  if (things?.length) parts.push(element("h3", "", title), ...things.map(show));
}
function field(f) {
  const args = (f.args ?? []).flatMap((a, i) => [i ? ", " : "", element("span", "a", a.name), ": ", link(named(a.type), spelled(a.type)), a.defaultValue && a.defaultValue !== "null" ? ` = ${a.defaultValue}` : ""]);
  const made = element("div", "field", element("b", "", f.name), ...(args.length ? ["(", ...args, ")"] : []), ": ", link(named(f.type), spelled(f.type)));
  if (f.description) made.append(element("p", "", f.description));
  return made;
}
$("find").addEventListener("input", (event) => {
  const words = event.target.value.trim().toLowerCase();
  if (!words) return visit(trail.at(-1) ?? schema.query);
  const hits = [];
  for (const type of schema.types.values()) {
    if (type.name.startsWith("__")) continue;
    if (type.name.toLowerCase().includes(words)) hits.push(element("div", "field", link(type.name)));
    for (const f of type.fields ?? type.inputFields ?? []) if (f.name.toLowerCase().includes(words)) hits.push(element("div", "field", link(type.name), ".", f.name));
  }
  $("trail").replaceChildren(`${hits.length} found`);
  $("pages").replaceChildren(...hits.slice(0, 100));
});

const last = kept("headwater.console", null);
if (last?.query?.trim()) { query.value = last.query; variables.value = last.variables ?? ""; } else query.value = EXAMPLES["What is here?"];
if (MAC) document.querySelector("#run kbd").textContent = "⌘ ↵";
listHistory();
repaint();
close();
if (new URLSearchParams(location.search).has("run")) run();
async function study() {
  try {
    schema = await read();
    visit(schema.query);
    if (schema.mutation) $("pages").append(element("h3", "", "Changes"), element("div", "field", link(schema.mutation)));
  } catch (error) {
    $("pages").replaceChildren(element("p", "bad", `The schema cannot be read: ${error.message}`));
  }
}
document.addEventListener("token", study);
await study();
