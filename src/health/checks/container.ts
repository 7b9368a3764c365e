import { z } from 'zod';
import type { CheckRunner } from '../check.ts';
import { commandTrouble, down, unmeasured } from '../finding.ts';
import { excerpt } from '../format.ts';

const stateSchema = z.object({
  Status: z.string(),
  ExitCode: z.number().optional(),
  OOMKilled: z.boolean().optional(),
  Error: z.string().optional(),
  Health: z
    .object({
      Status: z.string(),
      FailingStreak: z.number().optional(),
      Log: z.array(z.object({ Output: z.string().optional() })).nullish(),
    })
    .nullish(),
});

/** A container: running, and healthy where it has a health check of its own. */
export const container: CheckRunner<'container'> = async (check, { host, signal }) => {
  const name = check.settings.container;
  const result = await host.run({
    argv: ['docker', 'inspect', '--type', 'container', '--format', '{{json .State}}', '--', name],
    timeoutMs: check.withinMs,
    signal,
  });
  const trouble = commandTrouble(result, host);
  if (trouble) return trouble;
  if (result.exitCode !== 0) {
    const said = excerpt(result.stderr, 160);
    if (/no such (container|object)/i.test(said)) return down(check, 'absent', `there is no container ${name}`);
    return unmeasured(
      /permission denied/i.test(said) ? 'not-permitted' : 'look-failed',
      `docker on ${host.name}: ${said}`,
    );
  }
  const state = parse(result.stdout);
  if (!state)
    return unmeasured('look-failed', `docker on ${host.name} gave no state of ${name}: ${excerpt(result.stdout, 80)}`);
  const health = state.Health && state.Health.Status !== 'none' ? state.Health.Status : null;
  const facts = {
    state: state.Status,
    health,
    exit_code: state.ExitCode ?? null,
    out_of_memory: state.OOMKilled ?? false,
  };
  if (state.Status !== 'running') {
    const reason = state.OOMKilled ? 'out-of-memory' : state.Status;
    const why = state.Error
      ? `: ${excerpt(state.Error, 120)}`
      : state.Status === 'exited'
        ? `, exit code ${state.ExitCode}`
        : '';
    return down(check, reason, `${state.OOMKilled ? 'ended for want of memory' : state.Status}${why}`, { facts });
  }
  if (health === 'unhealthy') {
    const said = excerpt(state.Health?.Log?.at(-1)?.Output ?? '', 120);
    return down(check, 'unhealthy', `running, but unhealthy${said === '' ? '' : `: ${said}`}`, { facts });
  }
  if (health === 'starting') return unmeasured('starting', 'running, its health check has not passed yet', { facts });
  return { verdict: 'ok', summary: health === null ? 'running' : `running, ${health}`, facts };
};

function parse(text: string): z.output<typeof stateSchema> | null {
  try {
    return stateSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
