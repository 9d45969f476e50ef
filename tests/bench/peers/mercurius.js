// The same API by hand: Fastify, Mercurius with its JIT, its loaders (DataLoader) and pg. Takes the very documents that
// Latchkey takes, except that mutations which belong together are fields of one document.
import { randomBytes } from "node:crypto";
import Fastify from "fastify";
import mercurius from "mercurius";
import { authenticate, connect } from "./database.js";
import { run } from "./workers.js";

const schema = `
  scalar Date
  input IdCondition { eq: ID }
  input CodeCondition { eq: String }
  input DateCondition { le: Date gt: Date }
  input RoomStayFilter { id: IdCondition reservation_from: DateCondition reservation_to: DateCondition }
  input ReservationFilter { code: CodeCondition! }
  type PageInfo { endCursor: String hasNextPage: Boolean! }
  type RoomSetup { id: ID! name: String! }
  interface RoomAccessKey { id: ID! }
  type RoomAccessPin implements RoomAccessKey { id: ID! pin: String! }
  type RoomAccessKeyStorage implements RoomAccessKey { id: ID! pin: String! compartment: String! }
  type RoomAccessQR implements RoomAccessKey { id: ID! qrData: String! }
  type RoomStay {
    id: ID!
    room_setup: RoomSetup
    reservation_from: Date!
    reservation_to: Date!
    roomAccessKey: RoomAccessKey
  }
  type RoomStayEdge { node: RoomStay! }
  type RoomStayConnection { edges: [RoomStayEdge!]! pageInfo: PageInfo! }
  type Reservation { id: ID! code: String! rooms(first: Int = 20): RoomStayConnection! }
  type ReservationEdge { node: Reservation! }
  type ReservationConnection { edges: [ReservationEdge!]! pageInfo: PageInfo! }
  type Query {
    room_stays(filter: RoomStayFilter first: Int = 20 after: String): RoomStayConnection!
    reservations(filter: ReservationFilter! first: Int = 20): ReservationConnection!
  }
  input Pin { pin: String! }
  input CreateRoomAccessKeyInput { id: ID! roomAccessPin: Pin! }
  input AssignmentInput { roomStayId: ID! roomAccessKeyId: ID! }
  type CreatePayload { roomAccessKey: RoomAccessKey! }
  type AssignmentPayload { roomStay: RoomStay! }
  type Mutation {
    createRoomAccessKey(input: CreateRoomAccessKeyInput!): CreatePayload!
    addRoomAccessKey(input: AssignmentInput!): AssignmentPayload!
    removeRoomAccessKey(input: AssignmentInput!): AssignmentPayload!
  }
`;

const STAY = "s.id, s.reservation_id, s.room_setup_id, s.reservation_from, s.reservation_to, s.room_access_key_id, s.room_access_key_kind";
const TYPES = { PIN: "RoomAccessPin", KEY_STORAGE: "RoomAccessKeyStorage", QR: "RoomAccessQR" };

/** Runs a statement that is prepared once per connection; its text is its name. */
const query = (on, name, text, values) => on.query({ name, text, values });

const page = (rows, first, cursor) => ({
  edges: rows.slice(0, first).map((node) => ({ node })),
  pageInfo: {
    hasNextPage: rows.length > first,
    endCursor: rows.length === 0 ? null : cursor(rows[Math.min(first, rows.length) - 1]),
  },
});
const stayCursor = (stay) => Buffer.from(`${stay.reservation_to} ${stay.id}`).toString("base64url");
const stayPage = (rows, first) => page(rows, first, stayCursor);

/** A page of stays in the order of their departure, its scan bounded from both sides as Latchkey's is. */
async function roomStays(_, { filter, first, after }, { pool, actor }) {
  const values = [actor.hotel_id];
  const bind = (value) => `$${values.push(value)}`;
  let name = "stays";
  let where = "s.hotel_id = $1";
  const add = (part, text) => { name += ` ${part}`; where += ` AND ${text}`; };
  if (filter?.id?.eq) add("id", `s.id = ${bind(filter.id.eq)}`);
  if (filter?.reservation_from?.le) {
    const end = bind(filter.reservation_from.le);
    add("from", `s.reservation_from <= ${end} AND s.reservation_to <= ${end}::date + ${bind(actor.longest_stay_nights)}::int`);
  }
  if (filter?.reservation_to?.gt) add("to", `s.reservation_to > ${bind(filter.reservation_to.gt)}`);
  if (after) {
    const [departure, id] = Buffer.from(after, "base64url").toString().split(" ");
    add("after", `(s.reservation_to, s.id) > (${bind(departure)}, ${bind(id)})`);
  }
  const text = `SELECT ${STAY} FROM room_stays s WHERE ${where} ORDER BY s.reservation_to, s.id LIMIT ${bind(first + 1)}`;
  const { rows } = await query(pool, name, text, values);
  return stayPage(rows, first);
}

async function reservations(_, { filter, first }, { pool, actor }) {
  const text = "SELECT id, code FROM reservations WHERE hotel_id = $1 AND code = $2 ORDER BY id LIMIT $3";
  const { rows } = await query(pool, "reservations", text, [actor.hotel_id, filter.code.eq, first + 1]);
  return page(rows, first, (reservation) => Buffer.from(reservation.id).toString("base64url"));
}

// ---- loaders: one statement for all parents of a level

async function rooms(queries, { pool, actor }) {
  const text = `SELECT ${STAY} FROM unnest($2::uuid[]) r CROSS JOIN LATERAL (
      SELECT * FROM room_stays s WHERE s.hotel_id = $1 AND s.reservation_id = r ORDER BY s.id LIMIT $3) s`;
  const first = Math.max(...queries.map(({ params }) => params.first));
  const ids = queries.map(({ obj }) => obj.id);
  const { rows } = await query(pool, "rooms", text, [actor.hotel_id, ids, first + 1]);
  return queries.map(({ obj, params }) => stayPage(rows.filter((row) => row.reservation_id === obj.id), params.first));
}

async function roomSetups(queries, { pool, actor }) {
  const ids = queries.map(({ obj }) => obj.room_setup_id);
  const text = "SELECT id, name FROM room_setups WHERE hotel_id = $1 AND id = ANY ($2::uuid[])";
  const { rows } = await query(pool, "room-setups", text, [actor.hotel_id, ids]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** Secrets of keys. They are passed on as they lie there: Mercurius has no part in sealing. */
const secrets = (value) => async (queries, { pool, actor }) => {
  const ids = queries.map(({ obj }) => obj.id);
  const text = "SELECT id, secret, compartment FROM room_access_keys WHERE hotel_id = $1 AND id = ANY ($2::uuid[])";
  const { rows } = await query(pool, "secrets", text, [actor.hotel_id, ids]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => value(byId.get(id)));
};
const secret = secrets((key) => key.secret.toString("latin1"));
const compartment = secrets((key) => key.compartment);

const loaders = {
  Reservation: { rooms },
  RoomStay: { room_setup: roomSetups },
  RoomAccessPin: { pin: secret },
  RoomAccessKeyStorage: { pin: secret, compartment },
  RoomAccessQR: { qrData: secret },
};

// ---- mutations: all of a request in one transaction, its events written by the commit

async function createRoomAccessKey(_, { input }, { client, actor, events }) {
  const text = `INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at, unassigned_since)
                VALUES ($1, $2, $3, 'PIN', convert_to($4, 'LATIN1'), now(), now())`;
  await query(client, "create", text, [actor.hotel_id, input.id, actor.integration_id, input.roomAccessPin.pin]);
  events.push({ type: "room_access_key.created", object: input.id, fields: null });
  return { roomAccessKey: { id: input.id, kind: "PIN" } };
}

/** Holds stay and key, in this order. */
async function hold({ roomStayId, roomAccessKeyId }, { client, actor }) {
  const ofStay = `SELECT ${STAY}, r.status FROM room_stays s
      JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
      WHERE s.hotel_id = $1 AND s.id = $2 FOR NO KEY UPDATE OF s`;
  const stay = (await query(client, "hold-stay", ofStay, [actor.hotel_id, roomStayId])).rows[0];
  const ofKey = "SELECT id, kind FROM room_access_keys WHERE hotel_id = $1 AND integration_id = $2 AND id = $3 FOR UPDATE";
  const key = (await query(client, "hold-key", ofKey, [actor.hotel_id, actor.integration_id, roomAccessKeyId])).rows[0];
  if (!stay || !key) throw new Error("Not found");
  return { stay, key };
}

async function addRoomAccessKey(_, { input }, context) {
  const { stay, key } = await hold(input, context);
  if (stay.status === "CANCELLED") throw new Error("The reservation is cancelled");
  if (stay.room_access_key_id) throw new Error("The stay has a key");
  const { client, actor, events } = context;
  const text = `UPDATE room_stays SET room_access_key_id = $3, room_access_key_kind = $4, updated_at = now(),
      room_access_key_due_at = (reservation_to + 2 + $5::time) AT TIME ZONE $6 WHERE hotel_id = $1 AND id = $2`;
  const values = [actor.hotel_id, stay.id, key.id, key.kind, actor.check_out_time, actor.time_zone];
  await query(client, "add", text, values);
  const clear = "UPDATE room_access_keys SET unassigned_since = NULL WHERE hotel_id = $1 AND id = $2";
  await query(client, "assigned", clear, [actor.hotel_id, key.id]);
  events.push({ type: "room_stay.updated", object: stay.id, fields: "roomAccessKey" });
  return { roomStay: { ...stay, room_access_key_id: key.id, room_access_key_kind: key.kind } };
}

async function removeRoomAccessKey(_, { input }, context) {
  const { stay, key } = await hold(input, context);
  if (stay.room_access_key_id !== key.id) throw new Error("The stay has another key");
  const { client, actor, events } = context;
  const text = `UPDATE room_stays SET room_access_key_id = NULL, room_access_key_kind = NULL, updated_at = now(),
      room_access_key_due_at = NULL WHERE hotel_id = $1 AND id = $2`;
  await query(client, "remove", text, [actor.hotel_id, stay.id]);
  const start = `UPDATE room_access_keys SET unassigned_since = now() WHERE hotel_id = $1 AND id = $2
      AND NOT EXISTS (SELECT FROM room_stays WHERE hotel_id = $1 AND room_access_key_id = $2)`;
  await query(client, "unassigned", start, [actor.hotel_id, key.id]);
  events.push({ type: "room_stay.updated", object: stay.id, fields: "roomAccessKey" });
  return { roomStay: { ...stay, room_access_key_id: null, room_access_key_kind: null } };
}

async function writeEvents({ client, actor, events }) {
  // One event for each object, however often it was changed.
  const merged = [...new Map(events.map((event) => [event.type + event.object, event])).values()];
  const text = `WITH counter AS (
      INSERT INTO event_counters AS c (hotel_id, last_position) VALUES ($1, $2)
      ON CONFLICT (hotel_id) DO UPDATE SET last_position = c.last_position + $2 RETURNING last_position - $2 AS before)
    INSERT INTO events (hotel_id, position, created_at, id, type, object_id, updated_fields, actor_type, actor_id)
    SELECT $1, counter.before + n, now(), e.id, e.type, e.object, string_to_array(e.fields, ','), 'integration', $3
    FROM counter, unnest($4::bytea[], $5::text[], $6::uuid[], $7::text[]) WITH ORDINALITY e (id, type, object, fields, n)`;
  const column = (name) => merged.map((event) => event[name]);
  const ids = merged.map(() => randomBytes(32));
  const values = [actor.hotel_id, merged.length, actor.integration_id, ids, column("type"), column("object"), column("fields")];
  await query(client, "events", text, values);
}

const isMutation = (document) => document.definitions.some(({ operation }) => operation === "mutation");

async function begin(_, document, context) {
  if (!isMutation(document)) return;
  context.client = await context.pool.connect();
  context.events = [];
  await context.client.query("BEGIN");
}

async function end(execution, context) {
  const { client } = context;
  if (!client) return;
  try {
    if (execution.errors) {
      await client.query("ROLLBACK");
    } else {
      await writeEvents(context);
      await client.query("COMMIT");
    }
  } finally {
    client.release();
  }
}

const keyOf = (stay) => stay.room_access_key_id && { id: stay.room_access_key_id, kind: stay.room_access_key_kind };

run(async () => {
  const pool = connect();
  const app = Fastify();
  app.register(mercurius, {
    schema,
    resolvers: {
      Query: { room_stays: roomStays, reservations },
      Mutation: { createRoomAccessKey, addRoomAccessKey, removeRoomAccessKey },
      // Id and kind of a key are in the row of the stay.
      RoomStay: { roomAccessKey: keyOf },
      RoomAccessKey: { resolveType: (key) => TYPES[key.kind] },
    },
    loaders,
    jit: 1,
    context: async (request) => ({ pool, actor: await authenticate(pool, request.headers.authorization) }),
  });
  await app.ready();
  app.graphql.addHook("preExecution", begin);
  app.graphql.addHook("onResolution", end);
  await app.listen({ host: "127.0.0.1", port: 0 });
});
