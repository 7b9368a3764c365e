import { z } from 'zod';
import { formatSpan } from '../../src/health/format.ts';
import { servicesIn } from '../shared/names.ts';
import { ago, done, lines } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({
  services: z.array(
    z.object({
      service: z.string(),
      state: z.string(),
      summary: z.string(),
      mainPid: z.number().nullable(),
      checks: z.array(z.object({ check: z.string(), verdict: z.string(), summary: z.string() })),
    }),
  ),
});

export const serviceStatus = defineTool({
  name: 'service_status',
  description:
    'Whether a service runs (state, exit code, restarts) and what its checks say now. Look here first. Without a service: all of them in short.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({ service: z.enum([...servicesIn(scope, config), ...machines(scope.services, config)]).optional() }),
  output,
  async run({ service }, context) {
    const names = service === undefined ? context.scope.services : [service];
    const services = await Promise.all(names.map((name) => statusOf(name, context, service !== undefined)));
    return done(services.map((each) => each.text).join('\n'), { services: services.map((each) => each.details) });
  },
});

const machines = (names: readonly string[], config: ToolContext['config']): string[] =>
  names.filter((name) => config.services.get(name)?.machine === true);

async function statusOf(name: string, context: ToolContext, fresh: boolean) {
  const service = context.service(name);
  const latest = context.latest(name);
  const [status, results] = await Promise.all([
    context.manager(name)?.status() ?? null,
    fresh || latest.length === 0 ? context.measure(name) : latest,
  ]);
  const now = context.clock.now();
  const state = status === null ? 'machine' : status.ok ? status.value.state : 'unknown';
  const summary = status === null ? '' : status.ok ? status.value.summary : `its state is not known: ${status.error}`;
  const known = status?.ok ? status.value : null;
  const text = lines(
    `${name}${service.machine ? '' : ` (${service.manager}${service.host === 'local' ? '' : `, host ${service.host}`})`}: ${[summary.startsWith(state) ? '' : state, summary].filter(Boolean).join(', ')}`,
    known !== null &&
      lines(
        known.since !== null && `  ${known.state} since ${ago(now, known.since)}`,
        (known.restarts ?? 0) > 0 && `  restarted ${known.restarts} times by its manager`,
        known.outOfMemory && '  it was ended for want of memory',
        known.stoppedOnPurpose === true && '  a person stopped it on purpose: leave it stopped',
        known.health !== null && `  its manager's health check says ${known.health}`,
        known.state === 'starting' &&
          `  it may take ${formatSpan(service.starts_within)} to start: wait before doing anything`,
        known.state === 'paused' && '  its process is stopped by a signal: continue_process wakes it',
      ),
    results.length === 0
      ? '  it has no checks'
      : results.map((each) => `  ${each.verdict.padEnd(8)} ${each.check}: ${each.summary}`),
    fresh &&
      service.dependsOn.length > 0 &&
      `  it needs: ${service.dependsOn.map((other) => `${other} (${worst(other, context)})`).join(', ')}`,
  );
  return {
    text,
    details: {
      service: name,
      state,
      summary,
      mainPid: known?.mainPid ?? null,
      checks: results.map(({ check, verdict, summary: said }) => ({ check, verdict, summary: said })),
    },
  };
}

function worst(service: string, context: ToolContext): string {
  const results = context.latest(service);
  if (results.length === 0) return 'not measured';
  const bad = results.find(({ verdict }) => verdict === 'critical') ?? results.find(({ verdict }) => verdict !== 'ok');
  return bad === undefined ? 'ok' : `${bad.verdict}: ${bad.summary}`;
}
