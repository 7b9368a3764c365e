import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Asked {
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
}

/** A real server on a free port that answers as a function says, and keeps what it was asked. */
export async function startHttpServer(answer: (asked: Asked, response: ServerResponse) => void | Promise<void>) {
  const asked: Asked[] = [];
  let closed = 0;
  let connections = 0;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const text = Buffer.concat(parts).toString('utf8');
    const one: Asked = {
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? null : JSON.parse(text),
    };
    asked.push(one);
    response.on('close', () => {
      if (!response.writableFinished) closed += 1;
    });
    await answer(one, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    /** Answers that the other side left before they were whole. */
    get left() {
      return closed;
    },
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

/** A stream of JSON lines, as Ollama sends them. */
export const lines = (response: ServerResponse, ...parts: unknown[]): void => {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  for (const part of parts) response.write(`${JSON.stringify(part)}\n`);
  response.end();
};

/** Server-sent events, as Anthropic sends them. */
export const events = (response: ServerResponse, ...parts: { type: string; [key: string]: unknown }[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const part of parts) response.write(`event: ${part.type}\ndata: ${JSON.stringify(part)}\n\n`);
  response.end();
};
