/** Values of the schema's input types, as literals and as JSON, and what breaks them. */
import {
  GraphQLNonNull, Kind, getNamedType, getNullableType, isEnumType, isInputObjectType, isListType, isNonNullType, isRequiredInputField,
} from 'graphql';

/** A piece of JSON that JavaScript would write otherwise, such as `2.0`. */
export class Raw {
  constructor(text) {
    this.text = text;
  }
}

export const node = {
  name: (value) => ({ kind: Kind.NAME, value }),
  variable: (name) => ({ kind: Kind.VARIABLE, name: node.name(name) }),
  string: (value, text) => ({ kind: Kind.STRING, value, text }),
  int: (value) => ({ kind: Kind.INT, value: String(value) }),
  float: (value) => ({ kind: Kind.FLOAT, value: String(value) }),
  boolean: (value) => ({ kind: Kind.BOOLEAN, value }),
  enum: (value) => ({ kind: Kind.ENUM, value }),
  null: () => ({ kind: Kind.NULL }),
  list: (values) => ({ kind: Kind.LIST, values }),
  object: (fields) => ({ kind: Kind.OBJECT, fields }),
  field: (name, value) => ({ kind: Kind.OBJECT_FIELD, name: node.name(name), value }),
  argument: (name, value) => ({ kind: Kind.ARGUMENT, name: node.name(name), value }),
  directive: (name, args) => ({ kind: Kind.DIRECTIVE, name: node.name(name), arguments: args }),
  named: (name) => ({ kind: Kind.NAMED_TYPE, name: node.name(name) }),
};

const TEXTS = [
  '', 'a', 'Müller', 'Mu\u0308ller', 'Baby \u{1F476} crib', '\u{10FFFF}', 'two\nlines', 'tab\there', 'say "hello"', 'back\\slash', '$x', '#no comment',
  '{}', 'null', '\u2028', '\uFEFF', '\u0000', '\u007F', '\b\f', '\u00A0 ', '""', '/', '日本語', 'a'.repeat(200),
];
/** Texts in the source form, whatever they come to. */
const SOURCES = [
  '""""""', '"""block"""', '"""a\\"""b"""', '"""\n  indented\n    more\n  less\n"""', '"""\\u0041 is no escape here"""', '"""\r\n\tx\r\n\r\n\ty\n"""', '"""  """',
  '""" "quoted" """', '"""\n\n  a\n\n  b  \n\n"""', '"""\u{1F476}"""', '"""# {"""', '"\\u{1F476}"', '"\\u{0}"', '"\\u{00000041}"', '"\\ud83d\\udc76"', '"\\uD83D\\uDC76 x"', '"\\u00e9"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u000A"', '"\\u{10fFfF}"', '"tab\there"', '"""\n\ta\n\t b"""', '"""a\rb"""', '"""\n"""', '"""\\\\ """', '"""a\\""" """',
];
const DATES = ['2026-01-30', '2024-02-29', '1900-01-01', '9999-12-31', '2026-12-01', '2000-02-29'];
const NO_DATES = ['2026-02-30', '2025-02-29', '2026-13-01', '2026-1-1', '2026-00-10', '2026-01-00', '20260101', '', '2026-01-01T00:00:00Z', ' 2026-01-01', '1900-02-29', '+2026-01-01'];
const INSTANTS = ['2026-10-25T14:00:00+02:00', '2026-10-25T14:00:00Z', '2026-10-25T14:00:00.5-03:30', '1999-12-31T23:59:59.999999Z', '2026-01-01t00:00:00z', '2026-02-28T00:00:00+14:00'];
const NO_INSTANTS = ['2026-10-25T14:00:00', '2026-10-25', '2026-10-25T24:00:00Z', '2026-10-25T14:60:00Z', '2026-02-30T14:00:00Z', '2026-10-25T14:00Z', '2026-10-25T14:00:00+0200', 'now', '', '2026-10-25T14:00:00.Z', '2026-10-25T14:00:00 Z', '2026-10-25T14:00:00+02'];
/** Instants that are well-formed, and refused for their year. */
export const FAR_INSTANTS = ['0001-01-01T00:00:00Z', '1899-12-30T00:00:00Z', '9999-12-31T23:59:59-12:00', '0000-06-01T00:00:00+01:00'];
const TIMES = ['00:00', '23:59', '11:30', '09:05'];
const NO_TIMES = ['24:00', '9:05', '09:60', '09:05:00', '', '0905', '9:5', ' 9:05', '+9:05'];
const IDS = ['0198d4c1-3f5e-7c00-8000-000000000001', 'x', '', '7', 'pin "0042"', 'é'];
const INTS = [0, 1, 2, 20, 100, -1, 2147483647, -2147483648];

const texts = { Date: DATES, Datetime: INSTANTS, LocalTime: TIMES };
const noTexts = { Date: NO_DATES, Datetime: NO_INSTANTS, LocalTime: NO_TIMES };

/** Makes values, and prefers what was made least. */
export class Values {
  constructor(random, counts) {
    this.random = random;
    this.counts = counts;
    /** Coordinates that are to be given in any case. */
    this.demanded = new Set();
  }

  /** What becomes of an optional argument or field: given, null, or left out. */
  presence(coordinate, input) {
    if (this.demanded.has(coordinate)) return 'given';
    const states = ['given', 'given'];
    if (!isNonNullType(input.type)) states.push('null');
    if (!isRequiredInputField(input)) states.push('omitted');
    const state = this.random.chance(0.5)
      ? this.counts.rarest(this.random, states, (each) => `${each}: ${coordinate}`)
      : this.random.pick(states);
    this.counts.add(`${state}: ${coordinate}`);
    return state;
  }

  /** A literal of a type. `variable(type, hasDefault)` may supply a variable in its place. */
  literal(type, variable = () => null, depth = 0, hasDefault = false) {
    const instead = variable(type, hasDefault);
    if (instead) return instead;
    if (!isNonNullType(type) && this.random.chance(0.06)) return node.null();
    const nullable = getNullableType(type);
    if (isListType(nullable)) {
      const length = this.#length(type, depth);
      // One value stands for a list of it; not so a variable, nor null.
      if (length === undefined) return this.literal(new GraphQLNonNull(getNullableType(nullable.ofType)), undefined, depth + 1);
      return node.list(Array.from({ length }, () => this.literal(nullable.ofType, variable, depth + 1)));
    }
    if (isInputObjectType(nullable)) {
      const fields = this.#fields(nullable, depth).map(([input, isNull]) =>
        node.field(input.name, isNull ? node.null() : this.literal(input.type, variable, depth + 1, input.defaultValue !== undefined)));
      return node.object(fields.sort(() => this.random.below(3) - 1));
    }
    if (isEnumType(nullable)) return node.enum(this.#enumValue(nullable));
    return this.#scalarLiteral(nullable.name);
  }

  /** A value of a type in JSON. */
  json(type, depth = 0) {
    if (!isNonNullType(type) && this.random.chance(0.06)) return null;
    const nullable = getNullableType(type);
    if (isListType(nullable)) {
      const length = this.#length(type, depth);
      if (length === undefined) return this.json(new GraphQLNonNull(getNullableType(nullable.ofType)), depth + 1);
      return Array.from({ length }, () => this.json(nullable.ofType, depth + 1));
    }
    if (isInputObjectType(nullable)) {
      const fields = this.#fields(nullable, depth).map(([input, isNull]) => [input.name, isNull ? null : this.json(input.type, depth + 1)]);
      return Object.fromEntries(fields);
    }
    if (isEnumType(nullable)) return this.#enumValue(nullable);
    const random = this.random;
    switch (nullable.name) {
      case 'Int': return random.chance(0.3) ? new Raw(random.pick(['2.0', '1e2', '-0', '-0.0', '20.0', '1.5e1'])) : random.pick(INTS);
      case 'Float': return random.pick([0, 1, 1.5, -2.25]);
      case 'Boolean': return random.chance(0.5);
      case 'ID': return random.chance(0.2) ? random.pick([0, 7, -3, new Raw('5.0'), 9007199254740991]) : random.pick(IDS);
      default: return random.pick(texts[nullable.name] ?? TEXTS);
    }
  }

  /** How many items a list gets; `undefined` for one that stands without its list. */
  #length(type, depth) {
    const lengths = depth > 3 ? [0, 1, undefined] : [0, 1, 2, undefined];
    const length = this.counts.rarest(this.random, lengths, (each) => `length ${each}: ${type}`);
    this.counts.add(`length ${length}: ${type}`);
    return length === 2 ? 2 + this.random.below(2) : length;
  }

  #enumValue(type) {
    const { name } = this.counts.rarest(this.random, type.getValues(), (value) => `enum value: ${type.name}.${value.name}`, 12);
    this.counts.add(`enum value: ${type.name}.${name}`);
    return name;
  }

  /** The fields of an object that are written, and whether as null. */
  #fields(type, depth) {
    const fields = [];
    for (const input of Object.values(type.getFields())) {
      const nests = isInputObjectType(getNamedType(input.type));
      const coordinate = `${type.name}.${input.name}`;
      const presence = this.presence(coordinate, input);
      if (presence === 'omitted') continue;
      // What is deep is seldom complete.
      const dispensable = presence === 'given' && !isRequiredInputField(input) && !(this.demanded.has(coordinate) && depth < 6);
      if (dispensable && ((nests && depth > 3) || this.random.chance(depth * 0.15))) continue;
      fields.push([input, presence === 'null']);
    }
    return fields;
  }

  #scalarLiteral(name) {
    const random = this.random;
    switch (name) {
      case 'Int': return node.int(random.chance(0.1) ? '-0' : random.pick(INTS));
      case 'Float': return random.chance(0.5) ? node.int(random.pick(INTS)) : node.float(random.pick(['1.5', '-0.0', '1e3', '2.5E-2']));
      case 'Boolean': return node.boolean(random.chance(0.5));
      case 'ID': return random.chance(0.2) ? node.int(random.pick(['7', '0', '-12', '123456789012345678901234567890'])) : this.#text(random.pick(IDS));
      case 'String': return random.chance(0.4) ? node.string('', random.pick(SOURCES)) : this.#text(random.pick(TEXTS));
      default: return this.#text(random.pick(texts[name]));
    }
  }

  /** A string literal with escapes at random. */
  #text(text) {
    if (text !== '' && this.random.chance(0.1) && /^[\w:+-]*$/.test(text)) return node.string(text, `"""${text}"""`);
    const escaped = [...text].map((character) => {
      const code = character.codePointAt(0);
      const isControl = code < 0x20 && character !== '\t';
      if (!isControl && !/["\\]/.test(character) && !this.random.chance(0.05)) return character;
      if (code > 0xffff) return this.random.chance(0.5) ? `\\u{${code.toString(16)}}` : JSON.stringify(character).slice(1, -1) && surrogates(character);
      return this.random.chance(0.5) ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16).toUpperCase()}}`;
    });
    return node.string(text, `"${escaped.join('')}"`);
  }

  /** A literal that does not fit a type. */
  badLiteral(type) {
    const random = this.random;
    const nullable = getNullableType(type);
    const bad = [node.object([node.field('noSuchField', node.int(1))])];
    if (isNonNullType(type)) bad.push(node.null(), node.null());
    const named = getNamedType(type);
    if (isListType(nullable)) {
      bad.push(node.list([this.badLiteral(nullable.ofType)]), this.badLiteral(new GraphQLNonNull(getNullableType(nullable.ofType))));
    } else if (isInputObjectType(named)) {
      bad.push(node.string('x'), node.int(1), node.list([]), node.enum('x'));
      const given = this.literal(new GraphQLNonNull(named));
      if (given.fields.length) {
        bad.push(node.object(given.fields.slice(1)), node.object([...given.fields, node.field('noSuchField', node.null())]));
        const field = random.pick(given.fields);
        const input = named.getFields()[field.name.value];
        bad.push(node.object(given.fields.map((each) => (each === field ? node.field(field.name.value, this.badLiteral(input.type)) : each))));
      }
    } else {
      bad.push(...this.#badScalarLiterals(named));
    }
    return random.pick(bad);
  }

  #badScalarLiterals(named) {
    const never = [node.list([node.list([])]), node.object([])];
    if (isEnumType(named)) {
      const value = named.getValues()[0].name;
      return [...never, node.string(value), node.enum('NO_SUCH_VALUE'), node.enum(value.toLowerCase()), node.int(0), node.boolean(true)];
    }
    switch (named.name) {
      case 'Int': return [...never, node.string('2'), node.float('2.0'), node.float('1e2'), node.int('2147483648'), node.int('-2147483649'), node.int('95884372542'), node.boolean(true), node.enum('x')];
      case 'Float': return [...never, node.string('2'), node.boolean(true)];
      case 'Boolean': return [...never, node.string('true'), node.int(1), node.enum('TRUE'), node.float('1.0')];
      case 'ID': return [...never, node.float('1.0'), node.boolean(false), node.enum('x')];
      case 'String': return [...never, node.int(1), node.float('1.5'), node.boolean(true), node.enum('x')];
      default: return [...never, ...noTexts[named.name].map((text) => node.string(text)), node.int(20260101), node.enum('x'), node.boolean(true)];
    }
  }

  /** A value in JSON that does not fit a type. */
  badJson(type) {
    const random = this.random;
    const nullable = getNullableType(type);
    const named = getNamedType(type);
    const bad = isNonNullType(type) ? [null, null] : [];
    if (isListType(nullable)) {
      bad.push([this.badJson(nullable.ofType)], [this.json(nullable.ofType), this.badJson(nullable.ofType)], this.badJson(new GraphQLNonNull(getNullableType(nullable.ofType))));
    } else if (isInputObjectType(named)) {
      const given = this.json(new GraphQLNonNull(named));
      bad.push('x', 1, [], true, { ...given, noSuchField: 1 });
      const inputs = Object.values(named.getFields());
      for (const { name } of inputs.filter(isRequiredInputField)) {
        bad.push(Object.fromEntries(Object.entries(given).filter(([other]) => other !== name)));
      }
      const input = random.pick(inputs);
      if (!isInputObjectType(getNamedType(input.type)) || random.chance(0.7)) {
        const broken = { ...given, [input.name]: this.badJson(input.type) };
        bad.push(broken, broken);
      }
    } else if (isEnumType(named)) {
      bad.push('NO_SUCH_VALUE', named.getValues()[0].name.toLowerCase(), 0, true, {}, [], '');
    } else {
      bad.push(...{
        Int: ['2', 2.5, 2147483648, -2147483649, 1e300, true, {}, [], '', 95884372542],
        Float: ['2', true, {}, []],
        Boolean: ['true', 0, 1, {}, [], 'false'],
        ID: [1.5, true, {}, []],
        String: [1, 1.5, true, {}, [], ['x', 'y']],
      }[named.name] ?? [...noTexts[named.name], 20260101, true, {}, []]);
    }
    return random.pick(bad);
  }
}

const surrogates = (character) => [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16)}`).join('');

/** The text of a value in JSON. */
export function stringify(value, random) {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => stringify(item, random)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${stringify(member, random)}`).join(',')}}`;
  }
  if (typeof value === 'string' && random.chance(0.2)) {
    return `"${Array.from({ length: value.length }, (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
  }
  return JSON.stringify(value);
}
