// The peer of the webhook and ingestion benchmarks: Node's http with the middleware of @octokit/webhooks, as its README
// shows it. It verifies, parses, calls a handler that does nothing and answers 200; nothing is stored.
//
// Prints where it listens and ends when its input does, as the Rust servers do.

import { createServer } from "node:http";
import process from "node:process";
import { Webhooks, createNodeMiddleware } from "@octokit/webhooks";

const [path, secret] = process.argv.slice(2);
const webhooks = new Webhooks({ secret });
webhooks.onAny(() => {});
const server = createServer(createNodeMiddleware(webhooks, { path }));
server.listen(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});
process.stdin.on("end", () => process.exit()).resume();
