// Which words fit at the caret: fields of the type that the braces lead to, arguments, enum values, types.
import { named } from "./schema.js";

export const LEXEME = /"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|#[^\n]*|\.\.\.|[$@]?[_A-Za-z]\w*|-?\d[\w.]*|[{}()[\]:=!|&]|\s+|./g;

export function complete(schema, text, caret) {
  const before = text.slice(0, caret);
  const start = caret - (/[$@_A-Za-z0-9]*$/.exec(before)?.[0].length ?? 0);
  const word = text.slice(start, caret);
  const place = locate(schema, before.slice(0, start));
  if (!place) return null;
  const items = place.filter((item) => item.name.toLowerCase().includes(word.toLowerCase()));
  items.sort((a, b) => rank(a, word) - rank(b, word) || a.name.localeCompare(b.name));
  return { start, word, items: items.slice(0, 60) };
}

const rank = (item, word) => (item.name.toLowerCase().startsWith(word.toLowerCase()) ? 0 : 1);

// Walks the text before the caret and keeps a stack of what the open brackets mean.
function locate(schema, text) {
  const stack = [];
  let root = schema.query, field = null, argument = null, previous = "", spread = false, on = null;
  for (const [token] of text.matchAll(LEXEME)) {
    if (/^\s+$/.test(token) || token.startsWith("#") || token.startsWith('"')) continue;
    const top = stack[stack.length - 1];
    if (!top) {
      if (token === "query" || token === "mutation") root = token === "mutation" ? schema.mutation : schema.query;
      else if (previous === "on") on = token;
      else if (token === "{") { stack.push({ kind: "fields", type: on ?? root }); on = null; }
      else if (token === "(") stack.push({ kind: "definitions" });
    } else if (token === "{") {
      if (top.kind === "fields") { stack.push({ kind: "fields", type: on ?? (field ? named(field.type) : top.type) }); on = null; }
      else stack.push({ kind: "arguments", args: inputs(schema, argument), object: true });
      field = null;
    } else if (token === "(") {
      stack.push({ kind: top.kind === "fields" ? "arguments" : "definitions", args: field?.args ?? [], field });
    } else if (token === "}" || token === ")") {
      const closed = stack.pop();
      if (closed?.kind === "arguments" && !closed.object) field = closed.field;
      else field = null;
      argument = null;
    } else if (top.kind === "fields") {
      if (token === "...") spread = true;
      else if (previous === "on" && spread) { on = token; spread = false; }
      else if (/^[_A-Za-z]/.test(token) && !(spread && token === "on")) {
        field = fieldsOf(schema, top.type).find((f) => f.name === token) ?? null;
        if (spread) spread = false;
      }
    } else if (top.kind === "arguments") {
      if (previous !== ":" && /^[_A-Za-z]/.test(token)) argument = top.args.find((a) => a.name === token) ?? argument;
    }
    previous = token;
  }
  const top = stack[stack.length - 1];
  if (!top) return [..."query mutation fragment".split(" ")].map((name) => ({ name, about: "" }));
  if (top.kind === "definitions") return types(schema, (t) => t.kind !== "OBJECT" && t.kind !== "INTERFACE" && t.kind !== "UNION");
  if (previous === "on" && top.kind === "fields") return types(schema, (t) => t.kind === "OBJECT" || t.kind === "INTERFACE");
  if (top.kind === "arguments") {
    if (previous !== ":") return top.args.map((a) => item(a, ": "));
    const type = argument && schema.types.get(named(argument.type));
    if (type?.name === "Boolean") return [{ name: "true", about: "" }, { name: "false", about: "" }];
    return (type?.enumValues ?? []).map((v) => ({ name: v.name, about: v.description ?? "" }));
  }
  if (previous === "...") return [{ name: "on", about: "inline fragment" }];
  return [...fieldsOf(schema, top.type).map((f) => item(f)), { name: "__typename", about: "String!" }];
}

const fieldsOf = (schema, name) => schema.types.get(name)?.fields ?? [];
const inputs = (schema, argument) => (argument && schema.types.get(named(argument.type))?.inputFields) || [];
const item = (thing, after = "") => ({ name: thing.name, after, about: named(thing.type), description: thing.description });
const types = (schema, keep) => [...schema.types.values()].filter((t) => keep(t) && !t.name.startsWith("__")).map((t) => ({ name: t.name, about: t.kind.toLowerCase() }));
