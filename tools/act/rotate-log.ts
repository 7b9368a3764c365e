import { z } from 'zod';
import type { Config } from '../../src/config/schema.ts';
import { formatBytes } from '../../src/health/format.ts';
import { oneOf, reason, servicesOnHosts } from '../shared/names.ts';
import { logsToRotate } from '../shared/rotatable.ts';
import { rotate } from '../shared/rotation.ts';
import { done, failed } from '../shared/say.ts';
import { defineTool, type ToolScope } from '../tool.ts';

const output = z.object({
  service: z.string(),
  rotated: z.array(z.object({ path: z.string(), kept: z.string(), freedBytes: z.number() })),
});

const rotatable = (scope: ToolScope, config: Config): string[] =>
  servicesOnHosts(scope, config, (service) => service.rotate !== undefined && service.logs.length > 0);

export const rotateLog = defineTool({
  name: 'rotate_log',
  description:
    'Rotates the log files of a service that are over their limit: the old content is compressed and kept beside it, the log begins anew. For a full disk or a log that grew too large.',
  risk: 'reversible',
  applies: (scope, config) => rotatable(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ service: oneOf(rotatable(scope, config), 'whose log files'), reason }),
  output,
  async plan({ service: name }, context) {
    const chosen = await logsToRotate(context.service(name), context);
    if ('refusal' in chosen) return chosen;
    const what = chosen.logs.map(({ path, sizeBytes }) => `${path} (${formatBytes(sizeBytes)})`).join(', ');
    return {
      plan: {
        title: `rotate log of ${name}: ${what}`,
        service: name,
        risk: 'reversible',
        undo: 'the old content is kept compressed beside it, as the newest of its rotated files',
      },
    };
  },
  async run({ service: name }, context) {
    const chosen = await logsToRotate(context.service(name), context);
    if ('refusal' in chosen) return failed(`No log was rotated: ${chosen.refusal}`, { service: name, rotated: [] });
    const rotated: { path: string; kept: string; freedBytes: number }[] = [];
    const problems: string[] = [];
    for (const log of chosen.logs) {
      const result = await rotate(context.service(name), log, context);
      if (result.ok) rotated.push({ path: log.path, ...result.value });
      else problems.push(result.error);
    }
    const said = rotated.map(
      ({ path, kept, freedBytes }) => `rotated ${path}: ${formatBytes(freedBytes)} freed, the old content is ${kept}`,
    );
    const content = [...said, ...problems.map((problem) => `NOT rotated: ${problem}`)].join('\n');
    return problems.length === 0
      ? done(content, { service: name, rotated })
      : failed(content, { service: name, rotated });
  },
});
