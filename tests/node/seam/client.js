// One of Seam's official clients for JavaScript. It does what it is told by lines of JSON on its standard input, and answers each with
// a line: {"value": ...}, or {"thrown": ...} with what is known of the exception. See tests/it/seam/sdks/sdk.rs.
//
//   node seam/client.js j1|j2

import { createInterface } from 'node:readline'

// J1 is `seam` as an ordinary install on Node.js 20 has it; J2 is what the `seam` of Node.js 22 is made of.
const packages = {
  j1: async () => await import('seam'),
  j2: async () => {
    const { SeamHttp: Seam } = await import('@seamapi/http')
    return { Seam, ...(await import('@seamapi/webhook')) }
  },
}
const { Seam, SeamWebhook } = await packages[process.argv[2]]()
const AsyncFunction = (async () => {}).constructor

let seam

const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** The function `access_grants.create` as this client has it, or nothing. */
const find = (name) => {
  const [method, ...resources] = name.split('.').map(camelCase).reverse()
  const resource = resources.reduceRight((parent, child) => parent?.[child], seam)
  return typeof resource?.[method] === 'function' ? resource[method].bind(resource) : null
}

const actions = {
  connect: ({ endpoint, key }) => {
    // A machine that does much else may take longer than the client waits by itself.
    seam = new Seam({ apiKey: key, endpoint, waitForActionAttempt: { timeout: 60_000 } })
  },
  has: ({ method }) => find(method) !== null,
  call: ({ method, parameters }) => (parameters === undefined ? find(method)() : find(method)(parameters)),
  pages: async ({ method, parameters }) => {
    const paginator = seam.createPaginator(find(method)(parameters))
    const pages = []
    let [page, { hasNextPage, nextPageCursor }] = await paginator.firstPage()
    pages.push(page)
    while (hasNextPage) {
      ;[page, { hasNextPage, nextPageCursor }] = await paginator.nextPage(nextPageCursor)
      pages.push(page)
    }
    return pages
  },
  // A script with `seam` and the names of its scope; answers with the values of those that are wanted.
  run: ({ script, scope, wanted }) => {
    const names = Object.keys(scope)
    const body = `${script}\nreturn { ${wanted.join(', ')} }`
    return new AsyncFunction('seam', ...names, body)(seam, ...names.map((name) => scope[name]))
  },
  verify: ({ secret, body, headers }) => new SeamWebhook(secret).verify(body, headers),
}

/** What an exception tells whoever catches it. */
const thrown = (error, parameters) => ({
  class: error.constructor.name,
  code: error.code,
  message: error.message,
  status: error.statusCode,
  requestId: error.requestId,
  data: error.data,
  actionAttempt: error.actionAttempt,
  validation:
    error.getValidationErrorMessages &&
    Object.fromEntries(Object.keys(parameters ?? {}).map((name) => [name, error.getValidationErrorMessages(name)])),
})

for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...of } = JSON.parse(line)
  let answer
  try {
    answer = { value: (await actions[action](of)) ?? null }
  } catch (error) {
    answer = { thrown: thrown(error, of.parameters) }
  }
  console.log(JSON.stringify(answer))
}
