#!/usr/bin/env node
// Plain JavaScript on purpose: it must run, and explain itself, on a Node that is too old for the rest.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src/cli/main.ts');
const fromSource = existsSync(source);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const good = fromSource ? major >= 24 : major > 22 || (major === 22 && minor >= 12);

if (!good) {
  const own = join(root, 'node_modules/.bin/node');
  if (existsSync(own) && process.env.NIGHTSHIFT_NODE !== own) {
    const run = spawnSync(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: { ...process.env, NIGHTSHIFT_NODE: own },
    });
    process.exit(run.status ?? 1);
  }
  console.error(`nightshift needs Node ${fromSource ? '24' : '22.12'} or newer, and this is ${process.version}.`);
  console.error('Run `npm ci` in its folder: that brings the right one along.');
  process.exit(2);
} else if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  console.log(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
} else {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  if (process.argv[2] === 'watch') {
    // It runs for months and makes little garbage at a time: a young generation that never grows spares a quarter of its memory.
    const { setFlagsFromString } = await import('node:v8');
    setFlagsFromString('--semi-space-growth-factor=1');
  }
  await import(fromSource ? source : join(root, 'dist/src/cli/main.js'));
}
