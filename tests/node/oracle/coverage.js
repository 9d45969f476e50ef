/** What the requests used of the schema and broke of the rules, so that nothing is left out by chance. */
import { Kind, getNamedType, getNullableType, isEnumType, isInputObjectType, isListType, isNonNullType, isRequiredInputField } from 'graphql';
import { Counts } from './random.js';

export class Coverage {
  #counts = new Counts();
  /** Where each feature that is wanted can be had: coordinates of arguments and input fields. */
  #wanted = new Map();

  constructor(schema, rules) {
    this.schema = schema;
    for (const { name } of rules) this.#wanted.set(`broken: ${name}`, []);
    for (const verdict of ['valid', 'parse', 'validation', 'operation', 'variable', 'argument', 'subscription']) this.#wanted.set(`verdict: ${verdict}`, []);
    for (const type of Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))) {
      if (isInputObjectType(type)) Object.values(type.getFields()).forEach((field) => this.#want(`${type.name}.${field.name}`, field));
      else if (type.getFields) {
        for (const field of Object.values(type.getFields())) field.args.forEach((argument) => this.#want(`${type.name}.${field.name}(${argument.name}:)`, argument));
      }
    }
  }

  /** What is wanted of an argument or input field: of itself, and of its type wherever it stands. */
  #want(coordinate, { type, defaultValue }) {
    const named = getNamedType(type);
    const features = [`given: ${coordinate}`, `literal: ${type}`, `variable: ${type}`, `type: ${named.name}`];
    if (defaultValue !== undefined) features.push(`default: ${coordinate}`);
    if (!isNonNullType(type)) features.push(`null: ${type}`);
    if (!isRequiredInputField({ type, defaultValue })) features.push(`omitted: ${type}${defaultValue === undefined ? '' : ' with a default'}`);
    if (isListType(getNullableType(type))) features.push(...['none', 'one for a list', 'one', 'several'].map((size) => `${size}: ${type}`));
    if (isEnumType(named)) features.push(...named.getValues().map(({ name }) => `enum value: ${named.name}.${name}`));
    for (const feature of features) this.#wanted.set(feature, [...(this.#wanted.get(feature) ?? []), coordinate]);
  }

  /** Coordinates that supply what was met less than so many times. */
  lacking(times) {
    return [...this.#wanted].filter(([feature]) => this.#counts.of(feature) < times).flatMap(([, coordinates]) => coordinates);
  }

  /** Counts what a request broke, or used of the schema where it is valid. `fields` are the resolved ones. */
  note({ verdict, rules = [], operation, fields = [] }, sent) {
    this.#counts.add(`verdict: ${verdict}`);
    rules.forEach((rule) => this.#counts.add(`broken: ${rule}`));
    for (const { on, definition, node } of fields) {
      for (const argument of definition.args) {
        const given = node.arguments.find(({ name }) => name.value === argument.name);
        this.#use(`${on}.${definition.name}(${argument.name}:)`, argument, this.#read(given?.value, operation, sent));
      }
    }
  }

  /** What a literal holds, in the place of a variable what is sent for it: `undefined` for nothing. */
  #read(node, operation, sent) {
    if (node === undefined) return undefined;
    const read = (inner) => this.#read(inner, operation, sent);
    switch (node.kind) {
      case Kind.VARIABLE: {
        const name = node.name.value;
        const { defaultValue } = operation.variableDefinitions.find(({ variable }) => variable.name.value === name);
        const value = Object.hasOwn(sent ?? {}, name) ? ofJson(sent[name]) : read(defaultValue);
        return value && { ...value, source: 'variable' };
      }
      case Kind.NULL: return { source: 'literal', isNull: true };
      case Kind.LIST: return { source: 'literal', items: node.values.map((item) => read(item) ?? { source: 'literal', isNull: true }) };
      case Kind.OBJECT: return { source: 'literal', members: new Map(node.fields.map(({ name, value }) => [name.value, read(value)])) };
      default: return { source: 'literal', leaf: node.value };
    }
  }

  #use(coordinate, { type, defaultValue }, value) {
    if (value === undefined) {
      this.#counts.add(`omitted: ${type}${defaultValue === undefined ? '' : ' with a default'}`);
      if (defaultValue !== undefined) this.#counts.add(`default: ${coordinate}`);
      return;
    }
    this.#counts.add(`given: ${coordinate}`);
    this.#useType(type, value);
  }

  #useType(type, value) {
    this.#counts.add(`${value.source}: ${type}`);
    if (value.isNull) {
      this.#counts.add(`null: ${type}`);
      return;
    }
    const nullable = getNullableType(type);
    if (isListType(nullable)) {
      const { items } = value;
      this.#counts.add(`${items === undefined ? 'one for a list' : ['none', 'one'][items.length] ?? 'several'}: ${type}`);
      for (const item of items ?? [value]) this.#useType(nullable.ofType, item);
      return;
    }
    this.#counts.add(`type: ${nullable.name}`);
    if (isEnumType(nullable)) this.#counts.add(`enum value: ${nullable.name}.${value.leaf}`);
    if (isInputObjectType(nullable)) {
      for (const field of Object.values(nullable.getFields())) this.#use(`${nullable.name}.${field.name}`, field, value.members.get(field.name));
    }
  }

  counts() {
    return Object.fromEntries([...this.#wanted.keys()].sort().map((feature) => [feature, this.#counts.of(feature)]));
  }
}

function ofJson(value) {
  if (value === null) return { source: 'variable', isNull: true };
  if (Array.isArray(value)) return { source: 'variable', items: value.map(ofJson) };
  if (typeof value === 'object') return { source: 'variable', members: new Map(Object.entries(value).map(([name, member]) => [name, ofJson(member)])) };
  return { source: 'variable', leaf: value };
}
