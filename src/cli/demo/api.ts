// The demo's API: /health writes to the cache and says what came of it.
import { createServer } from 'node:http';
import { connect } from 'node:net';

const port = Number(process.argv[2]);
const cachePort = Number(process.argv[3]);
const log = (text: string) => console.log(`${new Date().toISOString()} ${text}`);

/** What the cache answered; rejects when it cannot be reached. */
const askCache = (line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: cachePort, host: '127.0.0.1', timeout: 1000 }, () => socket.write(`${line}\n`));
    socket.setEncoding('utf8');
    socket.on('data', (answer: string) => {
      resolve(answer.trim());
      socket.end();
    });
    socket.on('timeout', () => socket.destroy(new Error(`no answer from 127.0.0.1:${cachePort}`)));
    socket.on('error', reject);
  });

createServer(async (request, response) => {
  const answer = await askCache('SET last-visit now').catch((error: Error) => error);
  if (answer === 'OK') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
    return;
  }
  const status = answer instanceof Error ? 502 : 503;
  const words = answer instanceof Error ? answer.message : `cache refused a write: ${answer}`;
  log(`ERROR ${request.url} ${status} ${words}`);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: words }));
}).listen(port, '127.0.0.1', () => log(`api listens on ${port}`));
