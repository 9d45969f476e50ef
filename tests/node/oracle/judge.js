/** What graphql-js says to a request: whether it is valid, and the arguments of each field that it would resolve. */
import {
  GraphQLIncludeDirective, GraphQLSkipDirective, Kind, MaxIntrospectionDepthRule, SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef, getArgumentValues,
  getDirectiveValues, getNamedType, getVariableValues, parse, specifiedRules, typeFromAST, validate,
} from 'graphql';

/** The rules of the specification; the depth of introspection is a limit, and limits are Latchkey's own. */
export const RULES = specifiedRules.filter((rule) => rule !== MaxIntrospectionDepthRule);

/** `name` of each rule that finds something, beside the errors that `validate` would tell. */
function broken(schema, document) {
  const names = new Set();
  const watched = RULES.map((rule) => (context) => {
    const watching = Object.create(context);
    watching.reportError = (error) => {
      names.add(rule.name);
      context.reportError(error);
    };
    return rule(watching);
  });
  validate(schema, document, watched, { maxErrors: 1000 });
  return [...names].sort();
}

/** Judges a request. `parse`, `validation`, `operation`, `variable`, `argument`, `subscription` are reasons to refuse it. */
export class Judge {
  constructor(schema, withSubscriptions) {
    this.schema = schema;
    this.withSubscriptions = withSubscriptions;
  }

  judge({ document: text, operationName, variables }) {
    let document;
    try {
      document = parse(text);
    } catch (error) {
      return { verdict: 'parse', message: error.message };
    }
    const rules = broken(this.withSubscriptions, document);
    if (rules.length) return { verdict: 'validation', rules };
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const operation = operationName ? operations.find(({ name }) => name?.value === operationName) : operations.length === 1 ? operations[0] : undefined;
    if (!operation) return { verdict: 'operation' };
    if (operation.operation === 'subscription') return { verdict: 'subscription' };
    const { errors, coerced } = getVariableValues(this.schema, operation.variableDefinitions, variables ?? {});
    if (errors) return { verdict: 'variable', message: errors[0].message };
    try {
      return { verdict: 'valid', operation, ...this.#selected(document, operation, coerced) };
    } catch (error) {
      return { verdict: 'argument', message: error.message };
    }
  }

  #selected(document, operation, variables) {
    const fragments = new Map(document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((fragment) => [fragment.name.value, fragment]));
    const [selected, fields] = [[], []];
    const walk = (selectionSet, type, path) => {
      for (const selection of selectionSet.selections) {
        if (getDirectiveValues(GraphQLSkipDirective, selection, variables)?.if === true) continue;
        if (getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.if === false) continue;
        if (selection.kind === Kind.FIELD) {
          const field = this.#field(type, selection.name.value);
          const key = [...path, selection.alias?.value ?? selection.name.value];
          selected.push({
            path: key.join('/'), on: type.name, field: selection.name.value, arguments: getArgumentValues(field, selection, variables),
          });
          fields.push({ on: type.name, definition: field, node: selection });
          if (selection.selectionSet) walk(selection.selectionSet, getNamedType(field.type), key);
        } else {
          const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
          walk(fragment.selectionSet, fragment.typeCondition ? typeFromAST(this.schema, fragment.typeCondition) : type, path);
        }
      }
    };
    walk(operation.selectionSet, this.schema.getRootType(operation.operation), []);
    return { selected, fields };
  }

  #field(type, name) {
    switch (name) {
      case '__typename': return TypeNameMetaFieldDef;
      case '__schema': return SchemaMetaFieldDef;
      case '__type': return TypeMetaFieldDef;
      default: return type.getFields()[name];
    }
  }
}
