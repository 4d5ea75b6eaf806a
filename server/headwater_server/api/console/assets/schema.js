// The schema as introspection tells it: types by name, and how a type reads.
import { send } from "./token.js";
const REF = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const QUERY = `{ __schema { queryType { name } mutationType { name } types { kind name description
  fields(includeDeprecated: true) { name description deprecationReason args { name description defaultValue type { ${REF} } } type { ${REF} } }
  inputFields { name description defaultValue type { ${REF} } } enumValues { name description } possibleTypes { name } interfaces { name } } } }`;

export async function ask(query, variables, operationName) {
  const answer = await send("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ query, variables, operationName }),
  });
  return { status: answer.status, body: await answer.json() };
}

export async function read() {
  const { body } = await ask(QUERY);
  if (!body.data) throw new Error(body.errors?.[0]?.message ?? body.detail ?? "no schema");
  const schema = body.data.__schema;
  const types = new Map(schema.types.map((type) => [type.name, type]));
  return { types, query: schema.queryType.name, mutation: schema.mutationType?.name };
}

export function named(type) {
  while (type.ofType) type = type.ofType;
  return type.name;
}

export function spelled(type) {
  if (type.kind === "NON_NULL") return spelled(type.ofType) + "!";
  if (type.kind === "LIST") return "[" + spelled(type.ofType) + "]";
  return type.name;
}
