import type { CheckKind } from '../../config/checks.ts';
import type { CheckRunner } from '../check.ts';

/** How each kind is measured, by a loader: a kind that nobody configured costs nothing. Add a kind here, in its own file, and in `src/config/checks.ts`. */
export const checkRunners: { readonly [Kind in CheckKind]: () => Promise<CheckRunner<Kind>> } = {
  http: async () => (await import('./http.ts')).http,
  tcp: async () => (await import('./tcp.ts')).tcp,
  process: async () => (await import('./process.ts')).process,
  unit: async () => (await import('./unit.ts')).unit,
  container: async () => (await import('./container.ts')).container,
  disk: async () => (await import('./disk.ts')).disk,
  memory: async () => (await import('./memory.ts')).memory,
  cpu: async () => (await import('./cpu.ts')).cpu,
  redis: async () => (await import('./redis.ts')).redis,
  postgres: async () => (await import('./postgres.ts')).postgres,
  ollama: async () => (await import('./ollama.ts')).ollama,
  certificate: async () => (await import('./certificate.ts')).certificate,
  command: async () => (await import('./command.ts')).command,
  heartbeat: async () => (await import('./heartbeat.ts')).heartbeat,
  log_rate: async () => (await import('./log-rate.ts')).logRate,
  prometheus: async () => (await import('./prometheus.ts')).prometheus,
  metric: async () => (await import('./metric.ts')).metric,
  file_size: async () => (await import('./file-size.ts')).fileSize,
};
