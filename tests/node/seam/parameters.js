// Reads the OpenAPI document that Latchkey serves, and prints as JSON how its parameters differ from those of Seam's document, by path:
// {"/spaces/list": {"missing": ["search"], "unknown": []}}.

import { text } from 'node:stream/consumers'

import { openapi } from '@seamapi/types/connect'

/** Names of the parameters of all operations of a path, in queries and bodies. */
const parametersOf = (document, operations) => {
  const names = new Set()
  const collect = ({ $ref, properties, allOf, anyOf, oneOf }) => {
    if ($ref) collect($ref.split('/').slice(1).reduce((inner, name) => inner[name], document))
    for (const name of Object.keys(properties ?? {})) names.add(name)
    for (const alternative of [allOf, anyOf, oneOf].flatMap((schemas) => schemas ?? [])) collect(alternative)
  }
  for (const { parameters, requestBody } of Object.values(operations)) {
    for (const { name } of parameters ?? []) names.add(name)
    for (const { schema } of Object.values(requestBody?.content ?? {})) collect(schema)
  }
  return names
}

const served = JSON.parse(await text(process.stdin))
const differences = {}
for (const [path, operations] of Object.entries(served.paths)) {
  const route = path.replace(/^\/seam/, '')
  const ours = parametersOf(served, operations)
  const seams = parametersOf(openapi, openapi.paths[route])
  const missing = [...seams].filter((name) => !ours.has(name)).sort()
  const unknown = [...ours].filter((name) => !seams.has(name)).sort()
  if (missing.length > 0 || unknown.length > 0) differences[route] = { missing, unknown }
}
console.log(JSON.stringify(differences))
