/** One way or several to break each rule of the specification, and requests in general. */
import { Kind, TypeInfo, getNamedType, isCompositeType, isInputType, isInterfaceType, isLeafType, visit, visitWithTypeInfo } from 'graphql';
import { typeNode } from './documents.js';
import { node } from './values.js';

/** A document that can be changed, with its nodes at hand. */
class Subject {
  constructor(schema, random, values, document) {
    Object.assign(this, { schema, random, values, document });
  }

  operations() {
    return this.document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  }

  fragments() {
    return this.document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  }

  /** Every node of some kinds, with the type that holds it, its own type, and the type of input that is wanted there. */
  all(...kinds) {
    const found = [];
    const typeInfo = new TypeInfo(this.schema);
    const isOurs = ({ kind }) => kind !== undefined && kind !== 'Raw';
    visit({ ...this.document, definitions: this.document.definitions.filter(isOurs) }, visitWithTypeInfo(typeInfo, {
      enter(each, _key, holder) {
        if (kinds.includes(each.kind)) {
          found.push({ node: each, parent: typeInfo.getParentType(), type: typeInfo.getType(), input: typeInfo.getInputType(), holder });
        }
      },
    }));
    return found;
  }

  any(...kinds) {
    const found = this.all(...kinds);
    return found.length ? this.random.pick(found) : undefined;
  }

  /** One of those of a kind that a condition holds for. */
  where(kind, condition) {
    const found = this.all(kind).filter(condition);
    return found.length ? this.random.pick(found) : undefined;
  }

  add(selection) {
    const { node: set } = this.any(Kind.SELECTION_SET);
    set.selections.splice(this.random.below(set.selections.length + 1), 0, selection);
  }
}

const leaf = (name, more = {}) => ({ kind: Kind.FIELD, name: node.name(name), arguments: [], directives: [], ...more });
const set = (...selections) => ({ kind: Kind.SELECTION_SET, selections });
const inline = (on, ...selections) => ({ kind: Kind.INLINE_FRAGMENT, typeCondition: on && node.named(on), directives: [], selectionSet: set(...selections) });
const spread = (name) => ({ kind: Kind.FRAGMENT_SPREAD, name: node.name(name), directives: [] });
const fragment = (name, on, ...selections) => ({ kind: Kind.FRAGMENT_DEFINITION, name: node.name(name), typeCondition: node.named(on), directives: [], selectionSet: set(...selections) });
const raw = (text) => ({ kind: 'Raw', text });
const variableDefinition = (name, type, defaultValue) => ({ kind: Kind.VARIABLE_DEFINITION, variable: node.variable(name), type, defaultValue, directives: [] });
const nonNull = (type) => ({ kind: Kind.NON_NULL_TYPE, type });
const list = (type) => ({ kind: Kind.LIST_TYPE, type });
const UNKNOWN = ['NoSuchType', 'roomStay', 'Room_Stay', 'string'];

/** By the name of the rule: changes a subject so that it breaks the rule, unless it returns false for want of a place. */
export const BREAKS = {
  ExecutableDefinitionsRule({ document, random }) {
    document.definitions.push(raw(random.pick(['type X { a: Int }', 'scalar S', 'extend type Query { a: Int }', 'schema { query: Query }', 'enum E { A }', 'input I { a: Int }', 'directive @d on FIELD', '"x" type Y { a: Int }', 'union U = Query', 'interface N { a: Int }'])));
  },
  UniqueOperationNamesRule(subject) {
    const [operation] = subject.operations();
    operation.name ??= node.name('Twice');
    const again = subject.random.chance(0.5) ? structuredClone(operation) : { ...leaf('x'), kind: Kind.OPERATION_DEFINITION, operation: 'query', name: operation.name, variableDefinitions: [], selectionSet: set(leaf('__typename')) };
    subject.document.definitions.push(again);
  },
  LoneAnonymousOperationRule(subject) {
    const random = subject.random;
    subject.document.definitions.splice(random.below(2), 0, raw(random.pick(['{ __typename }', 'query { __typename }', 'mutation { __typename }'])));
    if (random.chance(0.3)) delete subject.operations()[0].name;
  },
  SingleFieldSubscriptionsRule(subject) {
    const random = subject.random;
    subject.document.definitions = [raw(random.pick([
      'subscription { settings { roomAccessKeysEnabled } tick }', 'subscription S { a: tick b: tick }', 'subscription S { ...F } fragment F on Subscription { tick x: tick }', 'subscription { __typename }', 'subscription { tick ... on Subscription { y: tick } }',
    ]))];
  },
  KnownTypeNamesRule(subject) {
    const name = subject.random.pick(UNKNOWN);
    const [operation] = subject.operations();
    const options = [
      () => subject.add(inline(name, leaf('id'))),
      () => operation.variableDefinitions.push(variableDefinition('unknown', node.named(name))),
      () => {
        subject.document.definitions.push(fragment('Unknown', name, leaf('id')));
        subject.add(spread('Unknown'));
      },
    ];
    subject.random.pick(options)();
  },
  FragmentsOnCompositeTypesRule(subject) {
    const name = subject.random.pick(['String', 'Date', 'IdFilter', 'CleaningStatus', 'ID', 'AgeGroupsInput']);
    if (subject.random.chance(0.5)) return subject.add(inline(name, leaf('__typename')));
    subject.document.definitions.push(fragment('Leaf', name, leaf('__typename')));
    subject.add(spread('Leaf'));
  },
  VariablesAreInputTypesRule(subject) {
    const type = node.named(subject.random.pick(['RoomStay', 'Client', 'Query', 'RoomAccessKey', 'AgeGroups']));
    const wrapped = subject.random.pick([type, nonNull(type), list(type), list(nonNull(type))]);
    subject.random.pick(subject.operations()).variableDefinitions.push(variableDefinition('output', wrapped));
  },
  ScalarLeafsRule(subject) {
    const found = subject.where(Kind.FIELD, ({ type }) => type);
    if (!found) return false;
    if (isLeafType(getNamedType(found.type))) found.node.selectionSet = set(leaf(subject.random.pick(['__typename', 'id', 'x'])));
    else delete found.node.selectionSet;
  },
  FieldsOnCorrectTypeRule(subject) {
    const abstract = subject.where(Kind.SELECTION_SET, ({ parent }) => isInterfaceType(parent));
    if (abstract && subject.random.chance(0.4)) {
      abstract.node.selections.push(leaf(subject.random.pick(['lastname', 'company', 'pin', 'qrData', 'compartment'])));
    } else {
      subject.add(leaf(subject.random.pick(['noSuchField', '__schema', '__type', '__fields', 'Id', 'room_stay', '__typeName']), subject.random.chance(0.3) ? { selectionSet: set(leaf('id')) } : {}));
    }
  },
  UniqueFragmentNamesRule(subject) {
    const [known] = subject.fragments();
    if (!known) return false;
    subject.document.definitions.push(subject.random.chance(0.5) ? structuredClone(known) : fragment(known.name.value, 'RoomStay', leaf('id')));
  },
  KnownFragmentNamesRule(subject) {
    const [known] = subject.fragments();
    if (known && subject.random.chance(0.5)) subject.document.definitions = subject.document.definitions.filter((each) => each !== known);
    else subject.add(spread(subject.random.pick(['NoSuchFragment', 'RoomStay', 'onStay'])));
  },
  NoUnusedFragmentsRule(subject) {
    subject.document.definitions.push(fragment('Unused', 'RoomStay', leaf('id')));
    if (subject.random.chance(0.3)) subject.document.definitions.push(fragment('Unused2', 'RoomStay', spread('Unused')));
  },
  PossibleFragmentSpreadsRule(subject) {
    const other = (parent) => subject.random.pick(['RoomStay', 'Reservation', 'Person', 'Client', 'RoomAccessKey', 'RoomAccessPin', 'Query', 'Mutation', 'PageInfo'].filter((name) => name !== parent?.name));
    const { node: place, parent } = subject.any(Kind.SELECTION_SET);
    const on = other(parent);
    if (subject.random.chance(0.5)) return void place.selections.push(inline(on, leaf('__typename')));
    subject.document.definitions.push(fragment('Elsewhere', on, leaf('__typename')));
    place.selections.push(spread('Elsewhere'));
  },
  NoFragmentCyclesRule(subject) {
    const { node: place, parent } = subject.any(Kind.SELECTION_SET);
    if (!parent) return false;
    const on = parent.name;
    subject.document.definitions.push(...subject.random.pick([
      [fragment('Circle', on, leaf('__typename'), spread('Circle'))],
      [fragment('Circle', on, spread('Circle2')), fragment('Circle2', on, leaf('__typename'), spread('Circle'))],
      [fragment('Circle', on, inline(undefined, spread('Circle')))],
      [fragment('Circle', on, spread('Circle2')), fragment('Circle2', on, inline(on, spread('Circle3'))), fragment('Circle3', on, spread('Circle2'))],
    ]));
    if (subject.random.chance(0.8)) place.selections.push(spread('Circle'));
  },
  UniqueVariableNamesRule(subject) {
    const operation = subject.random.pick(subject.operations());
    const [known] = operation.variableDefinitions;
    if (!known) return false;
    operation.variableDefinitions.push(subject.random.chance(0.5) ? structuredClone(known) : variableDefinition(known.variable.name.value, node.named('Int')));
  },
  NoUndefinedVariablesRule(subject) {
    const found = subject.any(Kind.VARIABLE_DEFINITION);
    if (found && subject.random.chance(0.4)) {
      for (const operation of subject.operations()) operation.variableDefinitions = operation.variableDefinitions.filter((each) => each !== found.node);
      return;
    }
    const argument = subject.any(Kind.ARGUMENT, Kind.OBJECT_FIELD);
    if (argument && subject.random.chance(0.5)) argument.node.value = node.variable('undefined');
    else subject.add(leaf('__typename', { directives: [node.directive('skip', [node.argument('if', node.variable('undefined'))])] }));
  },
  NoUnusedVariablesRule(subject) {
    const [operation] = subject.operations();
    operation.variableDefinitions.push(variableDefinition('unused', subject.random.pick([node.named('Int'), list(node.named('ID')), node.named('RoomStayFilter')])));
  },
  KnownDirectivesRule(subject) {
    const random = subject.random;
    const always = [node.argument('if', node.boolean(true))];
    const place = subject.any(...random.pick([[Kind.OPERATION_DEFINITION], [Kind.VARIABLE_DEFINITION], [Kind.FRAGMENT_DEFINITION], [Kind.FIELD], [Kind.FRAGMENT_SPREAD], [Kind.INLINE_FRAGMENT]]));
    if (!place) return false;
    const unknown = node.directive(random.pick(['unknown', 'Skip', 'on']), random.chance(0.5) ? always : []);
    const misplaced = place.node.kind === Kind.FIELD ? node.directive('deprecated', []) : random.pick([node.directive('chain', [node.argument('variable', node.string('x'))]), node.directive('deprecated', [])]);
    const isSelection = [Kind.FIELD, Kind.FRAGMENT_SPREAD, Kind.INLINE_FRAGMENT].includes(place.node.kind);
    (place.node.directives ??= []).push(random.pick([unknown, misplaced, isSelection ? unknown : node.directive('skip', always)]));
  },
  UniqueDirectivesPerLocationRule(subject) {
    const { node: place } = subject.any(Kind.FIELD);
    const name = subject.random.pick(['skip', 'include', 'chain']);
    const args = () => [name === 'chain' ? node.argument('variable', node.string('x')) : node.argument('if', node.boolean(subject.random.chance(0.5)))];
    place.directives = [node.directive(name, args()), node.directive(name, args())];
  },
  KnownArgumentNamesRule(subject) {
    const { node: place } = subject.any(Kind.FIELD, Kind.FIELD, Kind.DIRECTIVE);
    place.arguments.push(node.argument(subject.random.pick(['noSuchArgument', 'Input', 'a', 'where']), node.int(1)));
  },
  UniqueArgumentNamesRule(subject) {
    const found = subject.where(Kind.FIELD, ({ node: field }) => field.arguments.length) ?? subject.where(Kind.DIRECTIVE, ({ node: directive }) => directive.arguments.length);
    if (!found) return false;
    found.node.arguments.push(structuredClone(found.node.arguments[0]));
  },
  ValuesOfCorrectTypeRule(subject) {
    const found = subject.where(Kind.ARGUMENT, ({ input }) => input) && subject.random.pick(subject.all(Kind.ARGUMENT, Kind.OBJECT_FIELD, Kind.VARIABLE_DEFINITION).filter(({ input }) => input && isInputType(input)));
    if (!found) return false;
    const bad = subject.values.badLiteral(found.input);
    if (found.node.kind === Kind.VARIABLE_DEFINITION) found.node.defaultValue = bad;
    else found.node.value = bad;
  },
  ProvidedRequiredArgumentsRule(subject) {
    const found = subject.where(Kind.ARGUMENT, ({ input }) => input && String(input).endsWith('!'));
    if (found && subject.random.chance(0.7)) found.holder.splice(found.holder.indexOf(found.node), 1);
    else subject.any(Kind.FIELD).node.directives = [node.directive(subject.random.pick(['skip', 'include', 'chain']), [])];
  },
  VariablesInAllowedPositionRule(subject) {
    const found = subject.any(Kind.VARIABLE_DEFINITION);
    if (!found) return false;
    const { node: definition } = found;
    const bare = definition.type.kind === Kind.NON_NULL_TYPE ? definition.type.type : definition.type;
    definition.type = subject.random.pick([bare, list(definition.type), node.named('String'), node.named('Int'), nonNull(node.named('ID')), nonNull(list(nonNull(node.named('ID')))), bare.kind === Kind.LIST_TYPE ? bare.type : node.named('Boolean')]);
    if (subject.random.chance(0.7)) delete definition.defaultValue;
  },
  OverlappingFieldsCanBeMergedRule(subject) {
    const random = subject.random;
    const { node: place, parent } = subject.where(Kind.SELECTION_SET, ({ parent: type }) => isCompositeType(type) && type.getFields) ?? {};
    if (!place) return false;
    const names = Object.entries(parent.getFields()).filter(([, field]) => isLeafType(getNamedType(field.type))).map(([name]) => name);
    const field = random.pick(place.selections.filter(({ kind }) => kind === Kind.FIELD));
    const options = [];
    if (names.length > 1) options.push(() => place.selections.push(leaf(names[0], { alias: node.name('same') }), leaf(names[1], { alias: node.name('same') })));
    if (names.length > 1) options.push(() => place.selections.push(leaf(names[0], { alias: node.name('same') }), inline(parent.name, leaf('__typename', { alias: node.name('same') }))));
    if (field) {
      options.push(() => {
        const again = structuredClone(field);
        if (again.arguments.length) again.arguments.pop();
        else again.arguments.push(node.argument('first', node.int(3)));
        place.selections.push(again);
      });
      options.push(() => place.selections.push(inline(undefined, leaf('__typename', { alias: node.name((field.alias ?? field.name).value) }))));
      if (field.selectionSet) {
        options.push(() => {
          const again = structuredClone(field);
          again.selectionSet = set(leaf('__typename', { alias: node.name('deep') }));
          const inner = again.selectionSet.selections[0];
          field.selectionSet.selections.push({ ...structuredClone(inner), name: node.name('id') });
          place.selections.push(again);
        });
      }
    }
    const possible = isInterfaceType(parent) ? subject.schema.getPossibleTypes(parent) : [];
    if (possible.length > 1) {
      const [one, other] = possible;
      options.push(() => place.selections.push(
        inline(one.name, leaf(random.pick(Object.keys(one.getFields()).filter((name) => isLeafType(getNamedType(one.getFields()[name].type)))), { alias: node.name('x') })),
        inline(other.name, leaf(random.pick(Object.keys(other.getFields()).filter((name) => isLeafType(getNamedType(other.getFields()[name].type)))), { alias: node.name('x') })),
      ));
    }
    if (!options.length) return false;
    random.pick(options)();
  },
  UniqueInputFieldNamesRule(subject) {
    const found = subject.where(Kind.OBJECT, ({ node: object }) => object.fields.length);
    if (!found) return false;
    const again = structuredClone(subject.random.pick(found.node.fields));
    if (subject.random.chance(0.5)) again.value = node.null();
    found.node.fields.push(again);
  },
};

/** Changes a document so that it probably breaks a rule; false when it has no place for that. */
export const breakRule = (rule, ...subject) => BREAKS[rule](new Subject(...subject)) !== false;

/** Changes a document anywhere, whatever comes of it. */
export function disturb(...args) {
  const subject = new Subject(...args);
  const { random, values } = subject;
  for (let times = 1 + random.below(2); times > 0; times -= 1) {
    const lists = [];
    visit(subject.document, {
      enter(each) {
        for (const held of ['selections', 'arguments', 'directives', 'fields', 'values', 'variableDefinitions', 'definitions']) {
          if (each[held]?.length) lists.push(each[held]);
        }
      },
    });
    if (lists.length === 0) return;
    const changes = [
      () => {
        const from = random.pick(lists);
        from.splice(random.below(from.length), 1);
      },
      () => {
        const within = random.pick(lists);
        within.push(structuredClone(random.pick(within)));
      },
      () => {
        const names = subject.all(Kind.NAME);
        const kinds = names.length ? [random.pick(names), random.pick(names)] : [];
        if (kinds.length) kinds[0].node.value = kinds[1].node.value;
      },
      () => {
        const found = random.pick([subject.any(Kind.ARGUMENT), subject.any(Kind.OBJECT_FIELD)].filter(Boolean).concat([null]));
        const other = subject.any(Kind.ARGUMENT, Kind.OBJECT_FIELD);
        if (found && other) found.node.value = structuredClone(other.node.value);
      },
      () => {
        const found = subject.where(Kind.ARGUMENT, ({ input }) => input);
        if (found) found.node.value = random.chance(0.5) ? values.literal(found.input) : values.badLiteral(found.input);
      },
      () => {
        const found = subject.any(Kind.VARIABLE_DEFINITION);
        if (!found) return;
        if (random.chance(0.5) && found.input) found.node.type = typeNode(getNamedType(found.input));
        else delete found.node.defaultValue;
      },
      () => {
        const { node: operation } = subject.any(Kind.OPERATION_DEFINITION) ?? {};
        if (operation && random.chance(0.3)) operation.operation = random.pick(['query', 'mutation']);
      },
    ];
    random.pick(changes)();
  }
}

const PIECES = ['{', '}', '(', ')', '[', ']', '!', '$', '@', ':', '=', '...', '&', '|', '"', '"""', '#', ',', '.', '..', '-', '0', '01', '1.', '.5', '1e', '0xF', '1a', '1.5.', '-0', '--1', 'on', 'true', 'null', 'fragment', 'query', 'subscription', '%', '?', '^', '\\', "'", '\u00e9', '\u{1F476}', '\u0000', '\u0007', '""', '"\\x"', '"\\u12"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u{110000}"', '"\\u{d83d}"', '"\\u{}"', '"a\nb"', '"\u0001"', '{}', '()', 'query(){__typename}', 'fragment on on RoomStay{id}', '($x:Int@skip(if:true))', '@skip(if:true)', '$a', '{a:$b}', '<', '+1', '1.0', '"\\uD83D\\u0041"', '"\\ud83d\\u{dc76}"'];

/** Changes the text of a document, whatever comes of it. */
export function garble(text, random) {
  const tokens = text.match(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|[\w]+|\.\.\.|#[^\n]*\n|\s+|[\s\S]/gu) ?? [];
  const at = random.below(tokens.length);
  switch (random.below(8)) {
    case 0: tokens.splice(at, 1); break;
    case 1: tokens.splice(at, 0, tokens[at]); break;
    case 2: tokens.splice(at, 0, ` ${random.pick(PIECES)} `); break;
    case 3: tokens.splice(at, 1, random.pick(PIECES)); break;
    case 4: return text.slice(0, random.below(text.length));
    case 5: [tokens[at], tokens[at + 1]] = [tokens[at + 1] ?? '', tokens[at]]; break;
    case 6: return random.pick(['', ' ', '#', ',,,', '{', '{}', '{ }', 'query', 'query {}', 'query () { __typename }', 'fragment on on RoomStay { id }', '{__typename', 'mutation', '\uFEFF', '{ __typename } }', '{ a: }', '{ a(b: ) }', 'query ($a: Int = $b) { __typename }', 'query Q($a) { __typename }', '{ ...on }', '{ ... }', '{ ...on on { id } }', 'subscription { __typename', '"x" { __typename }', '"""x""" query { __typename }']);
    default: tokens.splice(at, 0, random.pick(PIECES), random.pick(PIECES));
  }
  return tokens.join('');
}
