/** Serves a page on this computer. */

import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { SadaJemError } from "../../src/errors.ts";
import { answer, type PageAnswer, type PageFiles, type PageRequest } from "./answer.ts";

/** The port cannot be used. */
export class ServerError extends SadaJemError {
  override name = "ServerError";
}

/** How long a connection may take, in milliseconds, and how many there may be. */
export interface ConnectionLimits {
  /** From the start of a request to the end of its headers. */
  readonly headers: number;
  /** Without anything sent or received. */
  readonly idle: number;
  /** Connections at a time. A browser opens six. */
  readonly connections: number;
}

const defaultLimits: ConnectionLimits = { headers: 10_000, idle: 10_000, connections: 64 };

/** Only programs on this computer can reach it. */
const hostname = "127.0.0.1";

/** Most bytes of a request's headers. A browser sends about one thousand. */
const headerBytes = 16 * 1024;

/** A listening server. */
export interface PageServer extends AsyncDisposable {
  readonly port: number;
}

/** Answers a request to the port at which it arrived. */
export type Answerer = (request: PageRequest, port: number) => PageAnswer | Promise<PageAnswer>;

/** Serves files from memory, like {@link serve}. */
export async function servePage(
  files: PageFiles,
  port: number,
  limits: ConnectionLimits = defaultLimits,
): Promise<PageServer> {
  return await serve((request, port) => answer(files, request, port), port, limits);
}

/**
 * Answers requests until it is disposed of.
 * @param port 0 takes one that is free
 * @throws {ServerError} if the port is in use or may not be used.
 */
export async function serve(
  answerer: Answerer,
  port: number,
  limits: ConnectionLimits = defaultLimits,
): Promise<PageServer> {
  let listening = port;
  const server = createServer({
    maxHeaderSize: headerBytes,
    headersTimeout: limits.headers,
    requestTimeout: limits.headers,
    keepAliveTimeout: limits.idle,
    connectionsCheckingInterval: Math.min(1000, limits.headers / 4),
    // A request without a Host is answered like one with a foreign Host.
    requireHostHeader: false,
  }, async (request, response) => {
    const method = request.method ?? "";
    const hosts = request.rawHeaders.filter((_, i, all) =>
      i % 2 === 1 && all[i - 1]!.toLowerCase() === "host"
    );
    const asked = { method, target: request.url ?? "", hosts };
    const { status, headers, body } = await answered(answerer, asked, listening);
    // A request's body is of no use here, and is not waited for.
    const hasBody = request.headers["content-length"] !== undefined ||
      request.headers["transfer-encoding"] !== undefined;
    response.writeHead(status, status >= 400 || hasBody ? { ...headers, connection: "close" } : headers);
    response.end(method === "HEAD" ? undefined : body);
  });
  server.on("clientError", (error: Error, socket: Duplex) => {
    if (socket.writable) socket.end(`HTTP/1.1 ${unreadableStatus(error)}\r\n${unreadableHeaders}\r\n`);
    else socket.destroy();
  });
  server.maxConnections = limits.connections;
  server.timeout = limits.idle;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(portError(error, port)));
    server.listen(port, hostname, resolve);
  });
  const address = server.address();
  if (address instanceof Object) listening = address.port;
  return {
    port: listening,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The answer, or status 500 if there is none: a failed request must not end the server. */
async function answered(answerer: Answerer, request: PageRequest, port: number): Promise<PageAnswer> {
  try {
    return await answerer(request, port);
  } catch {
    const body = new TextEncoder().encode("this cannot be answered now\n");
    const headers = {
      "content-type": "text/plain; charset=utf-8",
      "content-length": `${body.length}`,
      "x-content-type-options": "nosniff",
    };
    return { status: 500, headers, body };
  }
}

/** Headers of the answer to something that is not a request. */
const unreadableHeaders = "Connection: close\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff\r\n";

function unreadableStatus(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  if (code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? "408 Request Timeout" : "400 Bad Request";
}

/** The system's error about a port, in a line that says what to do. */
function portError(error: Error, port: number): Error {
  const code = "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") return new ServerError(`port ${port} is in use; choose another with --port`);
  if (code === "EACCES") {
    return new ServerError(
      `port ${port} needs more rights than you have; choose one from 1024 on with --port`,
    );
  }
  return error;
}
