import type { ModelUsage } from './provider.ts';

export const noUsage: ModelUsage = { inputTokens: 0, outputTokens: 0, cost: 0 };

/** Two requests' usage together; the cost is unknown when either is. */
export const sumUsage = (one: ModelUsage, other: ModelUsage): ModelUsage => ({
  inputTokens: one.inputTokens + other.inputTokens,
  outputTokens: one.outputTokens + other.outputTokens,
  cost: one.cost === null || other.cost === null ? null : one.cost + other.cost,
});
