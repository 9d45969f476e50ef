// What both peers share: connections, and who asks.
import { createHash } from "node:crypto";
import pg from "pg";

// Dates stay the text that they are: a JavaScript date would be an instant.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/** A pool on the server that the variables of libpq name. */
export function connect() {
  return new pg.Pool({
    max: Number(process.env.CONNECTIONS),
    options: "-c plan_cache_mode=force_generic_plan -c jit=off",
  });
}

const FIND_KEY = {
  name: "find-key",
  text: `SELECT k.integration_id, k.permission, h.id AS hotel_id, h.time_zone, h.check_out_time, h.longest_stay_nights
         FROM api_keys k JOIN hotels h ON h.id = k.hotel_id
         WHERE k.live_hash = $1 AND k.revoked_at IS NULL AND k.disabled_at IS NULL`,
};

/** Whom a request's API key stands for. */
export async function authenticate(pool, authorization) {
  const key = authorization?.replace(/^Bearer /, "");
  const hash = createHash("sha256").update(key ?? "").digest();
  const { rows } = await pool.query({ ...FIND_KEY, values: [hash] });
  if (rows.length === 0) throw new Error("Unauthorized");
  return rows[0];
}
