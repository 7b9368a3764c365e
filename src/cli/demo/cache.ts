// The demo's cache: a line protocol over TCP, like Redis in small. SIGUSR2 makes it refuse writes, as a replica would.
import { createServer } from 'node:net';

const port = Number(process.argv[2]);
const values = new Map<string, string>();
let readOnly = false;

process.on('SIGUSR2', () => {
  readOnly = true;
  console.log(`${new Date().toISOString()} now a replica: writes are refused`);
});

createServer((socket) => {
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (line: string) => {
    const [verb, key = '', value = ''] = line.trim().split(' ');
    if (verb === 'PING') socket.write('PONG\n');
    else if (verb === 'SET' && readOnly) socket.write('READONLY this is a replica\n');
    else if (verb === 'SET') {
      values.set(key, value);
      socket.write('OK\n');
    } else socket.write(`${values.get(key) ?? ''}\n`);
  });
}).listen(port, '127.0.0.1', () => console.log(`${new Date().toISOString()} cache listens on ${port}`));
