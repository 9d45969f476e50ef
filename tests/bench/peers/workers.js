// One process for each core, as Node's servers are run; they share one port.
import cluster from "node:cluster";

/** Runs `serve` in as many processes as WORKERS says, and prints where they serve once all of them do. */
export function run(serve) {
  if (cluster.isWorker) {
    serve();
    return;
  }
  let missing = Number(process.env.WORKERS);
  for (let n = missing; n > 0; n--) cluster.fork();
  cluster.on("listening", (_, address) => {
    if (--missing === 0) console.log(`http://127.0.0.1:${address.port}/graphql`);
  });
  // A worker that ends takes all with it: a measurement without it would mean nothing.
  cluster.on("exit", () => process.exit(1));
}
