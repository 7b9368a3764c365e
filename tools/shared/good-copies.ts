import { createHash } from 'node:crypto';
import { messageOf } from '../../src/base/outcome.ts';
import type { Service } from '../../src/config/schema.ts';
import type { ToolContext } from '../tool.ts';
import { difference } from './diff.ts';
import { hideSecrets } from './mask.ts';
import { ago } from './say.ts';

const MOST_BYTES = 1024 * 1024;
const DIFF_LINES = 30;

/** A watched file against its good copies. */
export interface FileState {
  path: string;
  state: 'unchanged' | 'changed' | 'missing' | 'no-copy' | 'unreadable';
  modifiedAt: number | null;
  /** The newest good copy that differs from what is there now. */
  copy: { id: string; at: number } | null;
  /** For people and models: secrets hidden. */
  text: string;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Compares one of a service's `files:` with its newest good copy. */
export async function fileState(service: Service, path: string, context: ToolContext): Promise<FileState> {
  const host = context.host(service.host);
  const now = context.clock.now();
  const copies = context.goodCopies.list(service.name, path);
  const newest = copies[0];
  const facts = await host.fileFacts(path);
  if (!facts.ok) return { path, state: 'unreadable', modifiedAt: null, copy: null, text: `${path}: ${facts.error}` };
  if (facts.value === null) {
    const kept =
      newest === undefined ? 'no good copy is kept' : `a good copy from ${ago(now, newest.at)} is kept: restore_file`;
    return { path, state: 'missing', modifiedAt: null, copy: newest ?? null, text: `${path}: MISSING; ${kept}` };
  }
  const { modifiedAt } = facts.value;
  const changed = `changed ${ago(now, modifiedAt)}`;
  if (newest === undefined)
    return {
      path,
      state: 'no-copy',
      modifiedAt,
      copy: null,
      text: `${path}: ${changed}; no good copy is kept to compare it with`,
    };
  const bytes = await host.readBytes(path, { maxBytes: MOST_BYTES });
  if (!bytes.ok)
    return { path, state: 'unreadable', modifiedAt, copy: newest, text: `${path}: ${changed}; ${bytes.error}` };
  const current = sha256(bytes.value);
  const differing = copies.find((copy) => copy.sha256 !== current) ?? null;
  if (newest.sha256 === current)
    return {
      path,
      state: 'unchanged',
      modifiedAt,
      copy: differing,
      text: `${path}: as it was while its checks passed (${changed})`,
    };
  try {
    const good = context.goodCopies.read(newest.id);
    const heading = `${path}: CHANGED ${ago(now, modifiedAt)}, differs from its good copy of ${ago(now, newest.at)}`;
    return {
      path,
      state: 'changed',
      modifiedAt,
      copy: newest,
      text: `${heading}\n${hiddenDiff(path, good, bytes.value)}`,
    };
  } catch (thrown) {
    return {
      path,
      state: 'changed',
      modifiedAt,
      copy: newest,
      text: `${path}: CHANGED ${ago(now, modifiedAt)}; its good copy cannot be read: ${messageOf(thrown)}`,
    };
  }
}

/** What changed, by line, with whatever may be a secret left out. */
export function hiddenDiff(path: string, good: Uint8Array, current: Uint8Array): string {
  const [before, after] = [Buffer.from(good).toString('utf8'), Buffer.from(current).toString('utf8')];
  if (before.includes('\0') || after.includes('\0'))
    return `  binary: ${good.length} bytes before, ${current.length} now`;
  const { text, added, removed } = difference(before, after);
  if (text === null) return `  ${removed} lines of before and ${added} of now differ: too many to show`;
  const strict = /(^|\/)\.?env(\.|$)|\.env$/.test(path);
  const all = text.split('\n').map((line) => `  ${hideSecrets(line, { strict })}`.slice(0, 240));
  const more =
    all.length > DIFF_LINES
      ? [`  and ${all.length - DIFF_LINES} more lines (in all ${removed} removed, ${added} added)`]
      : [];
  return [...all.slice(0, DIFF_LINES), ...more].join('\n');
}
