import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Real processes and sockets on a shared machine: a second look there, and none on a developer's own.
    retry: process.env.CI ? 1 : 0,
  },
});
