/**
 * Writes requests and what graphql-js says to them, a JSON object a line:
 *
 *     node main.js SCHEMA SEED COUNT
 *
 * `{"kind", "document", "operationName", "variables", "verdict", "rules", "selected"}`; at last `{"counts"}`.
 */
import { BREAKS, breakRule, disturb, garble } from './breaks.js';
import { Coverage } from './coverage.js';
import { Documents } from './documents.js';
import { Judge, RULES } from './judge.js';
import { print } from './print.js';
import { Counts, Random } from './random.js';
import { readSchema, withSubscriptions } from './schema.js';
import { FAR_INSTANTS, stringify } from './values.js';

const [file, seed, count] = process.argv.slice(2);
const schema = readSchema(file);
const random = new Random(Number(seed));
const documents = new Documents(schema, random, new Counts());
const judge = new Judge(schema, withSubscriptions(schema));
const coverage = new Coverage(schema, RULES);
const rules = Object.keys(BREAKS);

/** How often each feature of the schema is to be met, at least; documents are made for those that are not. */
const WANTED = 25;

/** Ways to make a request, and how often each is taken. */
const KINDS = [
  ['valid', 40, (request) => request],
  ['rule', 30, breakOneRule],
  ['disturbed', 9, (request) => (disturb(schema, random, documents.values, request.document), request)],
  ['garbled', 8, (request) => ({ ...request, garbled: true })],
  ['variables', 8, breakVariables],
  ['operation', 2, (request) => ({ ...request, operationName: random.pick(['NoSuchOperation', 'stays', '']) })],
  ['far', 2, farInstants],
  ['subscription', 1, () => ({ text: random.pick(['subscription { tick }', 'subscription S { settings { roomAccessKeysEnabled } }']), operationName: null, variables: [] })],
];

function breakOneRule(request) {
  const rule = rules[broken++ % rules.length];
  return breakRule(rule, schema, random, documents.values, request.document) ? { ...request, rule } : null;
}
let broken = 0;

function breakVariables(request) {
  if (request.variables.length === 0) return null;
  const variable = random.pick(request.variables);
  variable.value = random.chance(0.15) ? undefined : documents.values.badJson(variable.type);
  return request;
}

/** Writes an instant of a year that Latchkey refuses into some variable of that type. */
function farInstants(request) {
  const variable = request.variables.find(({ type }) => ['Datetime', 'Datetime!'].includes(String(type)));
  if (!variable) return null;
  variable.value = random.pick(FAR_INSTANTS);
  return request;
}

function variablesText(variables) {
  const sent = variables.filter(({ value }) => value !== undefined).map(({ name, value }) => `${JSON.stringify(name)}:${stringify(value, random)}`);
  if (random.chance(0.03)) sent.push('"undeclared":[{"x":1}]');
  return sent.length || random.chance(0.5) ? `{${sent.join(',')}}` : 'null';
}

function request() {
  const weights = KINDS.reduce((sum, [, weight]) => sum + weight, 0);
  let drawn = random.below(weights);
  const [kind, , change] = KINDS.find(([, weight]) => (drawn -= weight) < 0);
  const lacking = kind === 'valid' ? coverage.lacking(WANTED) : [];
  const changed = change(documents.make(lacking.length ? random.pick(lacking) : undefined));
  if (!changed) return null;
  let text = changed.text ?? print(changed.document, random);
  if (changed.garbled) text = garble(text, random);
  return { kind, rule: changed.rule, document: text.toWellFormed(), operationName: changed.operationName, variables: variablesText(changed.variables) };
}

// A few more where something has still been met too seldom.
const isEnough = (made) => made >= Number(count) && (made >= 1.5 * Number(count) || coverage.lacking(WANTED).length === 0);
for (let made = 0; !isEnough(made); ) {
  const asked = request();
  if (!asked) continue;
  made += 1;
  const sent = JSON.parse(asked.variables);
  const judged = judge.judge({ ...asked, variables: sent });
  coverage.note(judged, sent);
  const { verdict, rules: found, message, selected } = judged;
  const { variables, ...rest } = asked;
  const line = JSON.stringify({ ...rest, verdict, rules: found, message, selected });
  process.stdout.write(`${line.slice(0, -1)},"variables":${variables}}\n`);
}
process.stdout.write(`${JSON.stringify({ counts: coverage.counts() })}\n`);
