import { request } from 'node:http';
import { connect } from 'node:net';

const LIMIT_MS = 2000;

/** The status of a GET, or null when there is no answer within two seconds. No part of Nightshift is involved. */
export const httpStatus = (port: number, path = '/'): Promise<number | null> =>
  new Promise((resolve) => {
    const asking = request({ host: '127.0.0.1', port, path, timeout: LIMIT_MS, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? null);
    });
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => resolve(null));
    asking.end();
  });

/** What a port answers to a text, or null when it does not within two seconds. */
export const tcpAnswer = (port: number, text: string): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const give = (answer: string | null) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LIMIT_MS, () => give(null));
    socket.once('connect', () => socket.write(text));
    socket.once('data', (data) => give(data.toString('utf8')));
    socket.once('error', () => give(null));
    socket.once('close', () => give(null));
  });
