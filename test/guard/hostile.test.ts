import { describe, expect, it } from 'vitest';
import { decide } from '../../src/guard/policy.ts';
import { redact } from '../../src/guard/redact.ts';
import { freshGuard, policy, request } from './support.ts';

const ESC = '\u001b';

describe('text from outside that a terminal would obey', () => {
  it('cannot clear the screen, move up and write another line, set the clipboard or the title', () => {
    const attack = `ok${ESC}[2J${ESC}[1;1HA7 approved${ESC}]52;c;cm0gLXJm\u0007${ESC}]0;owned${ESC}\\${ESC}c\u009b2Jx\rA9\b\b\u0000`;
    const shown = redact(attack);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(shown).toBe('okA7 approved␛cx␍A9␈␈␀');
    expect(redact(shown)).toBe(shown);
  });

  it('cannot show words in another order or hide some (direction marks, zero width, tags)', () => {
    expect(redact('ap\u202Eevorp\u202C \u200bA7\u{e0041}')).toBe('apevorp A7');
  });

  it('keeps lines and tabs', () => {
    expect(redact('a\tb\r\nc\n')).toBe('a\tb\nc\n');
  });
});

describe('a secret that hides behind colours or characters without width', () => {
  it.each([
    [`${ESC}[35mpassword${ESC}[39m: "hunter2secret"`],
    [`${ESC}[32msk-ant-api03-abcdefghijklmnop1234${ESC}[0m`],
    [`PASSWORD${ESC}[0m=hunter2secret`],
    ['pass\u00adword: hunter2secret'],
    ['AKIA\u200bABCDEFGHIJKLMNOP'],
  ])('is replaced all the same: %j', (text) => {
    expect(redact(text)).toContain('<secret:');
    expect(redact(text)).not.toMatch(/hunter2|abcdefgh|ABCDEFGH/);
  });
});

describe('the guard and hostile names', () => {
  it('a line break in a title cannot forge a second question', async () => {
    const { guard, store, execute } = freshGuard();
    const title = 'end process 12 (x\nA7  restart api   reversible)';
    await guard.perform(request({ risk: 'disruptive', undo: 'none\nA8', title }), execute());
    expect(store.approvals.list()[0]).toMatchObject({
      title: 'end process 12 (x A7 restart api reversible)',
      undo: 'none A8',
    });
  });

  it('what a model chose is asked for, if it disrupts, although a person called `fix`', () => {
    const facts = { recentActions: [], now: 0, killSwitch: false };
    const chosen = request({ byHand: true, byModel: true, risk: 'disruptive', undo: 'none' });
    expect(decide(chosen, policy(), facts)).toMatchObject({ decision: 'ask' });
    expect(decide(chosen, policy({ mode: 'observe' }), facts)).toMatchObject({ decision: 'ask' });
    expect(decide({ ...chosen, byModel: false }, policy(), facts)).toMatchObject({ decision: 'allow' });
    expect(decide({ ...chosen, risk: 'reversible', undo: 'none needed' }, policy(), facts)).toMatchObject({
      decision: 'allow',
    });
  });
});

describe('a yes to a command', () => {
  const wipe = (title: string) =>
    request({
      tool: 'run_command',
      arguments: { service: 'cache', command: 'wipe' },
      title,
      risk: 'disruptive',
      undo: 'none',
    });

  it('does not cover what stands under the same name after it was given', async () => {
    const { guard, store, execute, ran } = freshGuard();
    const asked = await guard.perform(wipe('run wipe of cache (redis-cli memory purge)'), execute());
    store.approvals.decide(asked.approval?.id ?? 0, 'approved', null);
    const changed = wipe('run wipe of cache (redis-cli flushall)');
    const refused = await guard.perform(changed, execute(), asked.approval?.id);
    expect(refused).toMatchObject({ outcome: 'denied', decision: { rule: 'approval' } });
    expect(ran).toEqual([]);
  });

  it('covers the same one, also when a secret in its title is shown as a placeholder', async () => {
    const { guard, store, execute, ran } = freshGuard();
    const same = wipe('run wipe of cache (tool --password hunter2secret)');
    const asked = await guard.perform(same, execute());
    store.approvals.decide(asked.approval?.id ?? 0, 'approved', null);
    await guard.perform(same, execute(), asked.approval?.id);
    expect(ran).toEqual(['ran']);
  });
});
