import { describe, expect, it } from 'vitest';
import { costOf } from '../../src/models/prices.ts';

const at = Date.parse('2026-11-20');
const million = { input: 1e6, output: 0, cacheWrite: 0, cacheRead: 0 };

describe('what a request costs', () => {
  it('is by the tier of its own prompt, cached tokens included', () => {
    expect(costOf('claude-haiku-5-5', { ...million, input: 100_000, output: 1000 }, at)).toBeCloseTo(0.0105, 9);
    expect(costOf('claude-haiku-5-5', { ...million, input: 1000, cacheRead: 99_001 }, at)).toBeCloseTo(0.00545005, 9);
  });

  it('is by the price of the day', () => {
    const read = { ...million, input: 0, cacheRead: 1e6 };
    expect(costOf('claude-sonnet-5-5', read, Date.parse('2026-10-06'))).toBeCloseTo(0.2, 9);
    expect(costOf('claude-sonnet-5-5', read, Date.parse('2026-10-08'))).toBeCloseTo(0.1, 9);
  });

  it('is that of the very model, and not known for others', () => {
    expect(costOf('claude-opus-5', million, at)).toBe(5);
    expect(costOf('claude-opus-5-5', million, at)).toBe(4);
    expect(costOf('claude-haiku-4-5-20251001', million, at)).toBe(1);
    expect(costOf('kimi-k2.7', million, at)).toBeNull();
  });
});
