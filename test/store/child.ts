// Run by tests as a process of its own: `node child.ts WHAT FOLDER`. It says `ready` when it has done it, and waits to be killed.

import Database from 'better-sqlite3';
import { systemClock } from '../../src/base/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { takeWatchLock } from '../../src/store/watch-lock.ts';
import { draft, intent } from './fixtures.ts';

const [, , what, folder = ''] = process.argv;
const open = (readOnly = false) => {
  const opened = openStore(folder, { clock: systemClock, readOnly });
  if (!opened.ok) {
    console.log(`failed: ${opened.error}`);
    process.exit(3);
  }
  return opened.value;
};

// SQLite is loaded first: an ordinary user may have no way into the folder of this checkout.
new Database(':memory:').close();
/** Root may write anywhere: what an ordinary user meets shows only to one. */
if (process.getuid?.() === 0 && (what === 'write-as-nobody' || what === 'read-as-nobody')) {
  process.setgid?.(65534);
  process.setuid?.(65534);
}
if (what === 'lock') {
  const lock = takeWatchLock(folder);
  console.log(lock.ok ? 'ready' : lock.error);
  setInterval(() => lock, 1000);
} else if (what === 'act') {
  const store = open();
  const incident = store.incidents.open(draft(), { type: 'opened', text: 'opened' });
  store.actions.intend(intent({ incident: incident.id }));
  console.log('ready');
  setInterval(() => store, 1000);
} else if (what === 'write-as-nobody') {
  open();
  console.log('opened');
} else if (what === 'read-as-nobody') {
  const store = open(true);
  console.log(`read ${store.incidents.list().length} incidents, ${store.incidents.timeline(1).length} entries`);
}
