// PostGraphile on the same tables: its own schema, with the filter plugin that a window of dates needs.
//
// The hotel is a condition that the client gives: PostGraphile's own tenancy is row level security with settings on each
// transaction, which would cost it more.
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { postgraphile } from "postgraphile";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";
import { authenticate, connect } from "./database.js";
import { run } from "./workers.js";

run(async () => {
  const pool = connect();
  const preset = {
    extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
    // It would hide the day of arrival from filters, as no index begins with that.
    disablePlugins: ["PgIndexBehaviorsPlugin"],
    pgServices: [makePgService({ pool, schemas: ["public"], pubsub: false })],
    grafserv: { graphqlPath: "/graphql", websockets: false, graphiql: false, watch: false },
    grafast: {
      explain: false,
      // Every request is let in by its key, as Latchkey's are.
      context: async ({ node }) => ({ actor: await authenticate(pool, node?.req?.headers.authorization) }),
    },
  };
  const server = createServer();
  server.on("error", (error) => { throw error; });
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(0, "127.0.0.1");
});
