import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** What `benchCycle` talks to: several HTTP and TCP ports, in a process of its own so that it does not share the loop. */
const PORTS = 4;

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', 1024, () => {
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });

const httpServers = Array.from({ length: PORTS }, () =>
  createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"status":"ok","uptime":12345}');
  }),
);
const tcpServers = Array.from({ length: PORTS }, () =>
  createServer((socket) => socket.on('error', () => socket.destroy()).resume()),
);

process.send?.({ http: await Promise.all(httpServers.map(listen)), tcp: await Promise.all(tcpServers.map(listen)) });
process.on('disconnect', () => process.exit(0));
