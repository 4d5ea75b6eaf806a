// The REST routes as /openapi.json tells them, each with a form to try it.
import { send } from "./token.js";
const $ = (id) => document.getElementById(id);
const spec = await (await fetch("/openapi.json")).json();

function element(tag, className, ...inside) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}

function route(path, verb, operation) {
  const made = element("details", "route");
  made.append(element("summary", "", element("span", `verb ${verb}`, verb), element("code", "", path), element("span", "about", operation.summary ?? "")));
  made.dataset.words = `${verb} ${path} ${operation.summary ?? ""}`.toLowerCase();
  made.addEventListener("toggle", () => { if (made.open && !made.querySelector(".inside")) made.append(inside(path, verb, operation)); });
  return made;
}

function inside(path, verb, operation) {
  const made = element("div", "inside");
  if (operation.description) made.append(element("p", "", operation.description));
  const inputs = new Map();
  const parameters = operation.parameters ?? [];
  if (parameters.length) {
    const rows = parameters.map((p) => {
      const input = element("input");
      input.setAttribute("aria-label", p.name);
      input.placeholder = p.schema?.enum?.join(" | ") ?? p.schema?.type ?? "";
      inputs.set(p, input);
      return element("tr", "", element("td", "", element("code", "", p.name)), element("td", "", p.in + (p.required ? ", required" : "")), element("td", "", input), element("td", "", p.description ?? ""));
    });
    made.append(element("h3", "", "Parameters"), element("table", "", ...rows));
  }
  const content = operation.requestBody?.content, media = content && Object.keys(content)[0];
  const body = media && element("textarea");
  if (body) {
    body.setAttribute("aria-label", "Body");
    body.spellcheck = false;
    body.value = verb === "post" && path === "/graphql" ? '{"query": "{ server { version } }"}' : "";
    made.append(element("h3", "", `Body: ${Object.keys(content).join(" or ")}`), body);
  }
  made.append(element("h3", "", "Answers"), element("table", "", ...Object.entries(operation.responses ?? {}).map(([code, r]) => element("tr", "", element("td", "", element("code", "", code)), element("td", "", r.description ?? "")))));
  const answer = element("pre");
  answer.hidden = true;
  const send = element("button", "primary", "Send");
  send.addEventListener("click", async () => {
    let url = path;
    const query = new URLSearchParams();
    for (const [p, input] of inputs) {
      if (p.in === "path") url = url.replace(`{${p.name}}`, encodeURIComponent(input.value));
      else if (p.in === "query" && input.value) query.set(p.name, input.value);
    }
    if ([...query].length) url += `?${query}`;
    send.disabled = true;
    answer.hidden = false;
    try {
      const got = await send(url, { method: verb.toUpperCase(), body: body?.value, headers: body ? { "Content-Type": media } : {} });
      const text = await got.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
      answer.textContent = `${got.status} ${got.statusText}\n\n${shown.slice(0, 200_000)}`;
    } catch (error) {
      answer.textContent = `The server does not answer: ${error.message}`;
    }
    send.disabled = false;
  });
  made.append(element("p", "", send), answer);
  return made;
}

const groups = new Map();
for (const [path, verbs] of Object.entries(spec.paths))
  for (const [verb, operation] of Object.entries(verbs)) {
    const tag = operation.tags?.[0] ?? "Others";
    groups.set(tag, [...(groups.get(tag) ?? []), route(path, verb, operation)]);
  }
$("title").textContent = `${spec.info.title} ${spec.info.version}`;
$("summary").textContent = spec.info.summary ?? "";
$("routes").replaceChildren(...[...groups].map(([tag, routes]) => element("section", "", element("h2", "", tag), ...routes)));
$("find").addEventListener("input", (event) => {
  const words = event.target.value.trim().toLowerCase();
  for (const made of document.querySelectorAll(".route")) made.hidden = !made.dataset.words.includes(words);
  for (const group of document.querySelectorAll("#routes section")) group.hidden = ![...group.querySelectorAll(".route")].some((r) => !r.hidden);
});
