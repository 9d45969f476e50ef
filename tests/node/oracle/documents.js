/** Documents that are meant to be valid, and what they are sent with. */
import {
  GraphQLNonNull, GraphQLList, Kind, getNamedType, getNullableType, isAbstractType, isInputObjectType, isInterfaceType, isLeafType, isListType, isNonNullType, isObjectType,
} from 'graphql';
import { Values, node } from './values.js';

const MAX_FIELDS = 25;
const MAX_DEPTH = 6;

/** Makes one operation after another. */
export class Documents {
  #routes;

  constructor(schema, random, counts) {
    this.schema = schema;
    this.random = random;
    this.counts = counts;
    this.values = new Values(random, counts);
    this.#routes = routes(schema);
  }

  /**
   * A document, which of its operations is meant, and the variables of that one in JSON, by name. It uses an argument or
   * input field where one is demanded.
   */
  make(demanded) {
    const random = this.random;
    const several = random.chance(0.12) ? 2 + random.below(2) : 1;
    const routes = this.#routes.get(demanded);
    const route = routes && random.pick(routes);
    this.values.demanded = new Set(route?.coordinates);
    const parts = Array.from({ length: several }, (_, at) => new Operation(this, at, several > 1 || random.chance(0.5), route).make());
    const chosen = random.pick(parts);
    const definitions = parts.flatMap((part) => part.definitions);
    if (random.chance(0.2)) definitions.sort(() => random.below(3) - 1);
    const named = chosen.name !== null && (several > 1 || random.chance(0.3));
    return {
      document: { kind: Kind.DOCUMENT, definitions },
      operationName: named ? chosen.name : random.chance(0.02) ? '' : null,
      variables: chosen.variables.map(({ name, type, fallback }) => ({ name, type, value: this.#supply(type, fallback) })),
    };
  }

  /** What a variable is sent with; undefined where it is left out. */
  #supply(type, fallback) {
    const mayBeAbsent = !isNonNullType(type) || fallback;
    if (mayBeAbsent && this.random.chance(0.35)) return undefined;
    return this.values.json(type);
  }
}

class Operation {
  constructor({ schema, random, counts, values }, at, isNamed, route) {
    Object.assign(this, { schema, random, counts, values, route });
    this.suffix = at === 0 ? '' : `_${at}`;
    this.name = isNamed ? random.pick(['Stays', 'on', 'query', 'Q', '_x1']) + this.suffix : null;
    this.variables = [];
    this.fragments = [];
    this.keys = new Map();
    this.fields = 0;
  }

  make() {
    const random = this.random;
    const mutates = this.route ? this.route.mutates : random.chance(0.55);
    const root = mutates ? this.schema.getMutationType() : this.schema.getQueryType();
    const selectionSet = this.#selectionSet(root, 0, 1 + random.below(3));
    if (this.route) selectionSet.selections.push(this.#field(root, this.route.field, 0));
    if (!mutates && random.chance(0.05)) selectionSet.selections.push(this.#introspection());
    const operation = {
      kind: Kind.OPERATION_DEFINITION,
      operation: mutates ? 'mutation' : 'query',
      name: this.name === null ? undefined : node.name(this.name),
      isSpelled: random.chance(0.5),
      variableDefinitions: this.variables.map(({ name, type, fallback }) => ({
        kind: Kind.VARIABLE_DEFINITION, variable: node.variable(name), type: typeNode(type), defaultValue: fallback, directives: [],
      })),
      directives: [],
      selectionSet,
    };
    return { name: this.name, variables: this.variables, definitions: [operation, ...this.fragments.map(({ definition }) => definition)] };
  }

  #selectionSet(type, depth, wanted = 1 + this.random.below(4)) {
    const selections = [];
    for (let count = 0; count < wanted; count += 1) selections.push(this.#selection(type, depth));
    // The same once more is merged.
    if (this.random.chance(0.1)) selections.push(structuredClone(this.random.pick(selections)));
    return { kind: Kind.SELECTION_SET, selections };
  }

  #selection(type, depth) {
    const random = this.random;
    const fragment = random.chance(isAbstractType(type) ? 0.5 : 0.15);
    if (fragment && depth < MAX_DEPTH) return this.#fragment(type, depth);
    const names = Object.keys(type.getFields()).filter((name) => this.#mayStand(type.getFields()[name], depth));
    if (names.length === 0 || random.chance(0.08)) return this.#field(type, '__typename', depth);
    return this.#field(type, this.counts.rarest(random, names, (name) => `field: ${type.name}.${name}`, 8), depth);
  }

  #mayStand(field, depth) {
    return isLeafType(getNamedType(field.type)) || (depth < MAX_DEPTH && this.fields < MAX_FIELDS);
  }

  #field(type, name, depth) {
    const field = name === '__typename' ? { args: [], type: null } : type.getFields()[name];
    this.fields += 1;
    this.counts.add(`field: ${type.name}.${name}`);
    const args = [];
    for (const argument of field.args) {
      const presence = this.values.presence(`${type.name}.${name}(${argument.name}:)`, argument);
      if (presence === 'omitted') continue;
      const value = presence === 'null' ? node.null() : this.#value(argument.type, argument.defaultValue !== undefined);
      args.push(node.argument(argument.name, value));
    }
    args.sort(() => this.random.below(3) - 1);
    const composite = field.type !== null && !isLeafType(getNamedType(field.type));
    const selectionSet = composite ? this.#selectionSet(getNamedType(field.type), depth + 1) : undefined;
    return {
      kind: Kind.FIELD,
      alias: this.#alias(name, args.length > 0 || composite),
      name: node.name(name),
      arguments: args,
      directives: this.#directives(true),
      selectionSet,
    };
  }

  /** An alias where another field of this key could have other arguments. */
  #alias(name, differs) {
    const taken = this.keys.has(name);
    this.keys.set(name, true);
    if (!(differs && taken) && !this.random.chance(0.15)) return undefined;
    return node.name(this.random.pick(['a', 'on', 'id', 'fragment', 'true', '_']) + this.keys.size + this.fields + this.suffix);
  }

  #value(type, hasDefault) {
    const supply = (at, atDefault) => {
      const sources = ['literal', 'literal', 'variable'];
      const source = this.counts.rarest(this.random, this.random.chance(0.5) ? sources : [this.random.pick(sources)], (each) => `${each}: ${at}`);
      this.counts.add(`${source}: ${at}`);
      return source === 'variable' ? node.variable(this.#variable(at, atDefault)) : null;
    };
    return this.values.literal(type, supply, 0, hasDefault);
  }

  /** A variable that may stand at a place of a type. */
  #variable(type, hasDefault) {
    const random = this.random;
    const known = this.variables.filter(({ type: other }) => String(other) === String(type));
    if (known.length && random.chance(0.3)) return random.pick(known).name;
    let own = getNullableType(type);
    if (isListType(own) && !isNonNullType(own.ofType) && random.chance(0.3)) own = new GraphQLList(new GraphQLNonNull(own.ofType));
    let fallback;
    if (random.chance(0.3)) fallback = this.values.literal(isNonNullType(type) ? new GraphQLNonNull(own) : own);
    const needed = isNonNullType(type) && !hasDefault && (fallback === undefined || fallback.kind === Kind.NULL);
    if (needed || random.chance(0.3)) own = new GraphQLNonNull(own);
    if (isNonNullType(own) && fallback?.kind === Kind.NULL) fallback = undefined;
    const name = random.pick(['v', 'input', 'on', 'null', '_']) + this.variables.length;
    this.variables.push({ name, type: own, fallback });
    return name;
  }

  #directives(onField) {
    const random = this.random;
    const directives = [];
    for (const name of ['skip', 'include']) {
      if (random.chance(0.08)) {
        const condition = random.chance(0.6) ? this.#value(new GraphQLNonNull(this.schema.getType('Boolean'))) : node.boolean(name === 'include' || random.chance(0.2));
        directives.push(node.directive(name, [node.argument('if', condition)]));
      }
    }
    if (onField && random.chance(0.01)) directives.push(node.directive('chain', [node.argument('variable', node.string('chained'))]));
    return directives;
  }

  #fragment(type, depth) {
    const random = this.random;
    const conditions = this.#conditions(type);
    const known = this.fragments.filter(({ on, done }) => done && conditions.includes(on));
    if (known.length && random.chance(0.3)) return this.#spread(random.pick(known));
    const on = this.counts.rarest(random, conditions, (each) => `condition: ${type.name} > ${each.name}`);
    this.counts.add(`condition: ${type.name} > ${on.name}`);
    if (random.chance(0.5)) {
      const bare = on === type && random.chance(0.5);
      const typeCondition = bare ? undefined : node.named(on.name);
      return { kind: Kind.INLINE_FRAGMENT, typeCondition, directives: this.#directives(false), selectionSet: this.#selectionSet(on, depth + 1) };
    }
    const fragment = { name: `${random.pick(['F', 'fragment', 'query', 'onStay'])}${this.fragments.length}${this.suffix}`, on, done: false };
    this.fragments.push(fragment);
    fragment.definition = {
      kind: Kind.FRAGMENT_DEFINITION, name: node.name(fragment.name), typeCondition: node.named(on.name), directives: [], selectionSet: this.#selectionSet(on, depth + 1),
    };
    fragment.done = true;
    return this.#spread(fragment);
  }

  #spread({ name }) {
    return { kind: Kind.FRAGMENT_SPREAD, name: node.name(name), directives: this.#directives(false) };
  }

  /** The types that a fragment within a type may be on. */
  #conditions(type) {
    const conditions = [type];
    if (isAbstractType(type)) conditions.push(...this.schema.getPossibleTypes(type));
    if (isObjectType(type)) conditions.push(...type.getInterfaces());
    return conditions.filter((each) => isObjectType(each) || isInterfaceType(each) || isAbstractType(each));
  }

  #introspection() {
    const leaf = (name) => ({ kind: Kind.FIELD, name: node.name(name), arguments: [], directives: [] });
    const field = (name, args, ...selections) => ({ ...leaf(name), arguments: args, selectionSet: { kind: Kind.SELECTION_SET, selections } });
    this.fields += 1;
    const key = { alias: node.name(`i${this.fields}`) };
    if (this.random.chance(0.5)) return { ...field('__schema', [], field('queryType', [], leaf('name')), leaf('description')), ...key };
    const name = this.#value(new GraphQLNonNull(this.schema.getType('String')));
    return { ...field('__type', [node.argument('name', name)], leaf('kind'), leaf('__typename'), field('fields', [], leaf('name'))), ...key };
  }
}

/** By coordinate: the fields of the roots below whose arguments it stands, and the coordinates on the way to it. */
function routes(schema) {
  const found = new Map();
  const note = (coordinate, route) => found.set(coordinate, [...(found.get(coordinate) ?? []), route]);
  for (const root of [schema.getQueryType(), schema.getMutationType()]) {
    const mutates = root === schema.getMutationType();
    for (const field of Object.values(root.getFields())) {
      for (const argument of field.args) {
        const seen = new Set();
        const enter = (type, coordinates) => {
          note(coordinates.at(-1), { mutates, field: field.name, coordinates: coordinates.slice(0, -1) });
          const named = getNamedType(type);
          if (!isInputObjectType(named) || seen.has(named)) return;
          seen.add(named);
          for (const input of Object.values(named.getFields())) enter(input.type, [...coordinates, `${named.name}.${input.name}`]);
        };
        enter(argument.type, [`${root.name}.${field.name}(${argument.name}:)`]);
      }
    }
  }
  return found;
}

export function typeNode(type) {
  if (isNonNullType(type)) return { kind: Kind.NON_NULL_TYPE, type: typeNode(type.ofType) };
  if (isListType(type)) return { kind: Kind.LIST_TYPE, type: typeNode(type.ofType) };
  return node.named(type.name);
}
