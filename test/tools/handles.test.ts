import { expect, test } from 'vitest';
import { createHandles, HANDLE_LIFE_MS } from '../../tools/shared/handles.ts';

const setup = () => {
  let now = 1_000_000;
  const clock = { now: () => now, sleep: async () => undefined };
  return { handles: createHandles(clock), pass: (milliseconds: number) => (now += milliseconds) };
};

test('the same thing gets the same id, another gets another', () => {
  const { handles } = setup();
  const first = handles.remember('process', 'local', { pid: 7, began: 'a' });
  expect(first).toBe('pid-1');
  expect(handles.remember('process', 'local', { began: 'a', pid: 7 })).toBe(first);
  expect(handles.remember('process', 'local', { pid: 7, began: 'b' })).toBe('pid-2');
  expect(handles.remember('process', 'pc', { pid: 7, began: 'a' })).toBe('pid-3');
  expect(handles.remember('session', 'local', { pid: 7, began: 'a' })).toBe('session-1');
});

test('an id outlives the run that saw it and the question to a person, then is forgotten, and is never given to another', () => {
  const { handles, pass } = setup();
  const id = handles.remember('process', 'local', { pid: 7 });
  expect(HANDLE_LIFE_MS).toBeGreaterThan(45 * 60_000);
  pass(HANDLE_LIFE_MS);
  expect(handles.recall('process', id)?.value).toEqual({ pid: 7 });
  handles.remember('process', 'local', { pid: 7 });
  pass(HANDLE_LIFE_MS);
  expect(handles.recall('process', id)).not.toBeNull();
  pass(1);
  expect(handles.recall('process', id)).toBeNull();
  expect(handles.remember('process', 'local', { pid: 8 })).not.toBe(id);
});

test('an id counts only for its kind, and what is handed out cannot be changed', () => {
  const { handles } = setup();
  const value = { pid: 7 };
  const id = handles.remember('process', 'local', value);
  value.pid = 1;
  expect(handles.recall('session', id)).toBeNull();
  const recalled = handles.recall('process', id);
  if (recalled) recalled.value.pid = 1;
  expect(handles.recall('process', id)?.value).toEqual({ pid: 7 });
});
