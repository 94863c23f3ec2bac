// The peer of the ingestion benchmark: Node's http with the middleware of @octokit/webhooks, as its README shows it.
// It verifies, parses and answers 200; nothing is stored, and no handler is registered.
//
// Prints where it listens and ends when its input does, as the Rust servers do.

import { createServer } from "node:http";
import process from "node:process";
import { Webhooks, createNodeMiddleware } from "@octokit/webhooks";

const [path, secret] = process.argv.slice(2);
const server = createServer(createNodeMiddleware(new Webhooks({ secret }), { path }));
server.listen(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});
process.stdin.on("end", () => process.exit()).resume();
