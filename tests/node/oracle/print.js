/** Documents as text, laid out at random: commas, comments, line breaks, nothing where nothing is needed. */
import { Kind, OperationTypeNode } from 'graphql';

const PLAIN = [' ', ' ', ' ', '\n'];
const WILD = ['', '', '', ' ', ' ', ' ', ',', '\n', '\r\n', '\t', ' , ', '# a "comment" {\n', '#\r', '\uFEFF'];

/** The text of a document whose nodes are those of graphql-js; a string may bring its own text, and so may a definition. */
export function print(document, random) {
  const ignored = random.chance(0.5) ? PLAIN : WILD;
  const parts = [random.chance(0.05) ? '\uFEFF' : ''];
  let previous = '';
  for (const token of document.definitions.flatMap(definition)) {
    const between = random.pick(ignored);
    const mustPart = between === '' && /[\w".]$/.test(previous) && /^[\w".-]/.test(token);
    parts.push(mustPart ? ' ' : between, token);
    previous = token;
  }
  return parts.join('') + random.pick(ignored);
}

function definition(node) {
  switch (node.kind) {
    case Kind.OPERATION_DEFINITION: {
      const head = [...name(node.name), ...block('(', node.variableDefinitions.flatMap(variableDefinition), ')'), ...directives(node)];
      const isBare = head.length === 0 && node.operation === OperationTypeNode.QUERY && !node.isSpelled;
      return [...(isBare ? [] : [node.operation]), ...head, ...selectionSet(node.selectionSet)];
    }
    case Kind.FRAGMENT_DEFINITION:
      return ['fragment', node.name.value, 'on', node.typeCondition.name.value, ...directives(node), ...selectionSet(node.selectionSet)];
    default:
      return [node.text];
  }
}

const name = (node) => (node ? [node.value] : []);
const block = (open, tokens, close) => (tokens.length ? [open, ...tokens, close] : []);

function variableDefinition(node) {
  const fallback = node.defaultValue ? ['=', ...value(node.defaultValue)] : [];
  return ['$', node.variable.name.value, ':', ...type(node.type), ...fallback, ...directives(node)];
}

function type(node) {
  switch (node.kind) {
    case Kind.NON_NULL_TYPE: return [...type(node.type), '!'];
    case Kind.LIST_TYPE: return ['[', ...type(node.type), ']'];
    default: return [node.name.value];
  }
}

const selectionSet = (node) => (node ? ['{', ...node.selections.flatMap(selection), '}'] : []);

function selection(node) {
  switch (node.kind) {
    case Kind.FIELD: {
      const alias = node.alias ? [node.alias.value, ':'] : [];
      return [...alias, node.name.value, ...args(node), ...directives(node), ...selectionSet(node.selectionSet)];
    }
    case Kind.FRAGMENT_SPREAD:
      return ['...', node.name.value, ...directives(node)];
    default: {
      const condition = node.typeCondition ? ['on', node.typeCondition.name.value] : [];
      return ['...', ...condition, ...directives(node), ...selectionSet(node.selectionSet)];
    }
  }
}

const directives = (node) => (node.directives ?? []).flatMap((directive) => ['@', directive.name.value, ...args(directive)]);
const args = (node) => block('(', node.arguments.flatMap(({ name, value: given }) => [name.value, ':', ...value(given)]), ')');

function value(node) {
  switch (node.kind) {
    case Kind.VARIABLE: return ['$', node.name.value];
    case Kind.NULL: return ['null'];
    case Kind.LIST: return ['[', ...node.values.flatMap(value), ']'];
    case Kind.OBJECT: return ['{', ...node.fields.flatMap(({ name, value: given }) => [name.value, ':', ...value(given)]), '}'];
    case Kind.STRING: return [node.text ?? JSON.stringify(node.value)];
    default: return [String(node.value)];
  }
}
