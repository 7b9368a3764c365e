import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createEscalationOutbox, type EscalationMessage } from '../../src/incidents/escalation.ts';
import { openStore } from '../../src/store/open.ts';

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const folder = mkdtempSync(join(tmpdir(), 'nightshift-outbox-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const newStore = () => {
  const opened = openStore(join(folder, String(count++)), { clock: systemClock });
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
};
const message: EscalationMessage = {
  incident: 7,
  severity: 'critical',
  title: 'api: 502',
  reason: 'the evidence is not enough',
  action_taken: 'none',
  what_to_do: 'look at api',
  at: '2026-01-29T14:30:00.000Z',
  report: {},
};
const address = 'https://hooks.example.test/nightshift';
const outboxOf = (store: ReturnType<typeof newStore>) =>
  createEscalationOutbox({ store, clock: systemClock, fetch, webhook: () => address });

test('what the far side does not take stays, survives a restart, and is sent once', async () => {
  const received: unknown[] = [];
  let answer = 503;
  server.use(
    http.post(address, async ({ request }) => {
      if (answer === 200) received.push(await request.json());
      return new HttpResponse(null, { status: answer });
    }),
  );
  const store = newStore();
  outboxOf(store).put(message);
  const first = await outboxOf(store).flush();
  expect(first.sent).toBe(0);
  expect(first.problems[0]).toContain('answered 503 to incident #7');

  answer = 200;
  const restarted = outboxOf(store);
  expect(await restarted.flush()).toEqual({ sent: 1, problems: [] });
  expect(await restarted.flush()).toEqual({ sent: 0, problems: [] });
  expect(received).toEqual([message]);
  store.close();
});

test('two flushes at once send a message once', async () => {
  let posts = 0;
  server.use(
    http.post(address, () => {
      posts += 1;
      return new HttpResponse(null, { status: 200 });
    }),
  );
  const store = newStore();
  const outbox = outboxOf(store);
  outbox.put(message);
  await Promise.all([outbox.flush(), outbox.flush()]);
  expect(posts).toBe(1);
  store.close();
});

test('a redirect is not followed: the message goes where the owner said, or nowhere', async () => {
  server.use(
    http.post(
      address,
      () => new HttpResponse(null, { status: 302, headers: { location: 'https://elsewhere.example.test/' } }),
    ),
  );
  const store = newStore();
  const outbox = outboxOf(store);
  outbox.put(message);
  const flushed = await outbox.flush();
  expect(flushed.sent).toBe(0);
  expect(flushed.problems).toHaveLength(1);
  store.close();
});
