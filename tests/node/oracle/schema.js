/** The schema, with scalars that say what their descriptions say. */
import { readFileSync } from 'node:fs';
import { GraphQLError, Kind, buildSchema, extendSchema, parse } from 'graphql';

const isDay = (year, month, day) => day >= 1 && day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();

function isDate(text) {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)?.map(Number) ?? [];
  return month >= 1 && month <= 12 && isDay(year, month, day);
}

/** RFC 3339, without leap seconds. */
function isDatetime(text) {
  const [, date, hour, minute, second, offsetHour, offsetMinute] =
    /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))$/.exec(text) ?? [];
  return date !== undefined && isDate(date) && hour <= '23' && minute <= '59' && second <= '59' &&
    (offsetHour ?? '00') <= '23' && (offsetMinute ?? '00') <= '59';
}

const isLocalTime = (text) => /^([01]\d|2[0-3]):[0-5]\d$/.test(text);

/** What each scalar of ours takes: texts of a form, which stay as they are. */
const FORMS = { Date: isDate, Datetime: isDatetime, LocalTime: isLocalTime };

/** The schema of a file in the schema definition language. */
export function readSchema(file) {
  const schema = buildSchema(readFileSync(file, 'utf8'));
  for (const type of Object.values(schema.getTypeMap())) {
    const isForm = FORMS[type.name];
    if (isForm) {
      type.parseValue = (value) => {
        if (typeof value === 'string' && isForm(value)) return value;
        throw new GraphQLError(`not a ${type.name}`);
      };
      type.parseLiteral = (node) => {
        if (node.kind === Kind.STRING) return type.parseValue(node.value);
        throw new GraphQLError(`not a ${type.name}`, { nodes: node });
      };
    }
  }
  return schema;
}

/** The schema with subscriptions, which ours has not: without them, a rule about them finds nothing. */
export const withSubscriptions = (schema) =>
  extendSchema(schema, parse('extend schema { subscription: Subscription } type Subscription { settings: Settings tick: Int }'));
