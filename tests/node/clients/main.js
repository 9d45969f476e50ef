/**
 * Asks a server as people's clients do, with the settings that docs/API.md names, and writes what came of it as JSON:
 *
 *     node main.js URL API_KEY
 */
import { createHash } from 'node:crypto';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

const [uri, key] = process.argv.slice(2);
const QUERY = gql`query Switch { settings { roomAccessKeysEnabled } }`;
const OTHER = gql`query Pages { room_stays(first: 1) { totalCount } }`;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** `fetch`, noting each request. */
function noting(requests) {
  return async (address, options) => {
    const body = options.body ? JSON.parse(options.body) : null;
    const response = await fetch(address, options);
    requests.push({
      method: options.method, documents: [body].flat().map((operation) => operation?.query !== undefined), status: response.status,
    });
    return response;
  };
}

const authorization = (credential) => ({ authorization: `Bearer ${credential}` });
const apollo = (link) => new ApolloClient({ cache: new InMemoryCache(), link, defaultOptions: { query: { errorPolicy: 'all' } } });

async function apolloAsks(link, queries) {
  const client = apollo(link);
  const answers = await Promise.all(queries.map((query) => client.query({ query })));
  return answers.map(({ data, error }) => ({ data, error: error && { name: error.name, message: error.message, body: error.bodyText } }));
}

const results = {};

async function run(name, ask) {
  const requests = [];
  results[name] = { answers: await ask(noting(requests)), requests };
}

await run('apollo', (fetch) =>
  apolloAsks(new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri, fetch, headers: authorization(key) })), [QUERY]));
await run('apollo in batches', (fetch) =>
  apolloAsks(new PersistedQueryLink({ sha256 }).concat(new BatchHttpLink({ uri, fetch, headers: authorization(key) })), [QUERY, OTHER]));
await run('apollo in batches with a wrong key', (fetch) =>
  apolloAsks(new BatchHttpLink({ uri, fetch, headers: authorization('pms_live_wrong') }), [QUERY, OTHER]));
await run('urql', async (fetch) => {
  const client = new Client({
    url: uri, fetch, preferGetMethod: false, fetchOptions: { headers: authorization(key) },
    exchanges: [persistedExchange({ preferGetForPersistedQueries: false, generateHash: async (query) => sha256(query) }), fetchExchange],
  });
  const { data, error } = await client.query(QUERY, {}).toPromise();
  return [{ data, error: error && { message: error.message } }];
});

process.stdout.write(JSON.stringify(results));
