// Reads answers as lines of JSON, {"path", "method", "status", "body"}, and prints a line for each 2xx body that is not as Seam's
// OpenAPI document has it. The document is that of `@seamapi/types`.

import { createInterface } from 'node:readline'

import { openapi } from '@seamapi/types/connect'
import Ajv from 'ajv'
import addFormats from 'ajv-formats'

// What Latchkey says beyond the document, as the path of the object and the test of its entries that are left out.
const extensions = [
  // Printed in Seam's guide to reservations, and absent from its schema.
  { list: 'warnings', of: 'access_grant_id', isOne: ({ warning_code: code }) => code === 'encoding_required' },
]

/** A schema of OpenAPI 3.0 as one of JSON Schema: there, null is a type, and an exclusive bound a number. */
const jsonSchema = (schema) => {
  if (Array.isArray(schema)) return schema.map(jsonSchema)
  if (schema === null || typeof schema !== 'object') return schema
  const { nullable, discriminator, ...rest } = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, jsonSchema(value)]),
  )
  if (rest.exclusiveMinimum === true) {
    rest.exclusiveMinimum = rest.minimum
    delete rest.minimum
  }
  return nullable === true ? { anyOf: [{ type: 'null' }, rest] } : rest
}

/** A body without the extensions. */
const bare = (value) => {
  if (Array.isArray(value)) return value.map(bare)
  if (value === null || typeof value !== 'object') return value
  const object = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bare(inner)]))
  for (const { list, of, isOne } of extensions) {
    if (of in object && Array.isArray(object[list])) object[list] = object[list].filter((entry) => !isOne(entry))
  }
  return object
}

const ajv = new Ajv({ strict: false, allErrors: true })
addFormats(ajv)
ajv.addSchema({ $id: 'openapi', paths: jsonSchema(openapi.paths), components: jsonSchema(openapi.components) })

/** What is wrong with an answer: nothing, or a text. */
const fault = ({ path, method, status, body }) => {
  const operations = openapi.paths[path]
  if (operations === undefined) return 'is not in the document'
  if (status < 200 || status > 299) return null
  const verb = method.toLowerCase() in operations ? method.toLowerCase() : Object.keys(operations)[0]
  const pointer = ['paths', path, verb, 'responses', '200', 'content', 'application/json', 'schema']
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .join('/')
  const validate = ajv.getSchema(`openapi#/${pointer}`)
  if (validate(bare(body))) return null
  // Of alternatives, each tells why it is not the one: the first errors say most.
  return validate.errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`).join('; ')
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = JSON.parse(line)
  const found = fault(answer)
  if (found !== null) console.log(`${answer.method} ${answer.path}: ${found}: ${JSON.stringify(answer.body)}`)
}
