import { z } from 'zod';
import type { CheckConfig } from '../../config/checks.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { fetchJson } from '../fetch-json.ts';
import { down, unmeasured } from '../finding.ts';
import { formatSpan, tenth } from '../format.ts';

const versionSchema = z.object({ version: z.string() });
const modelsSchema = z.object({ models: z.array(z.object({ name: z.string() })) });

/** An Ollama server: it answers, its models are there and, if asked for, in memory. */
export const ollama: CheckRunner<'ollama'> = async (check, context) => {
  const startedAt = performance.now();
  const version = await ask(check, context, 'api/version', versionSchema);
  if ('measurement' in version) return version.measurement;
  const installed = await ask(check, context, 'api/tags', modelsSchema);
  if ('measurement' in installed) return installed.measurement;
  const running = await ask(check, context, 'api/ps', modelsSchema);
  if ('measurement' in running) return running.measurement;
  const latencyMs = performance.now() - startedAt;
  const names = installed.value.models.map((model) => model.name);
  const loaded = running.value.models.map((model) => model.name);
  const more = {
    value: tenth(latencyMs),
    unit: 'ms',
    facts: { version: version.value.version, models: names.length, loaded: loaded.join(', ') },
  };
  const wanted = check.settings.models ?? [];
  const missing = wanted.filter((name) => !has(names, name));
  if (missing.length > 0) return down(check, 'model-missing', `${missing.join(', ')} not installed`, more);
  const cold = check.settings.loaded ? wanted.filter((name) => !has(loaded, name)) : [];
  if (cold.length > 0) return down(check, 'model-not-loaded', `${cold.join(', ')} not in memory`, more);
  if (check.settings.loaded && loaded.length === 0) return down(check, 'model-not-loaded', 'no model in memory', more);
  const count = names.length === 1 ? '1 model' : `${names.length} models`;
  return { verdict: 'ok', summary: `${version.value.version} answers in ${formatSpan(latencyMs)}, ${count}`, ...more };
};

/** A name without a tag means `:latest`. */
const has = (names: string[], wanted: string): boolean =>
  names.includes(wanted.includes(':') ? wanted : `${wanted}:latest`);

async function ask<Schema extends z.ZodType>(
  check: CheckConfig<'ollama'>,
  context: CheckContext,
  path: string,
  schema: Schema,
): Promise<{ value: z.output<Schema> } | { measurement: Measurement }> {
  const fetched = await fetchJson(context, check.settings.ollama, path);
  if (!fetched.ok) {
    const { measured, reason, summary } = fetched;
    return { measurement: measured ? down(check, reason, summary) : unmeasured(reason, summary) };
  }
  const parsed = schema.safeParse(fetched.document);
  if (parsed.success) return { value: parsed.data };
  return { measurement: down(check, 'not-ollama', `what answers at ${check.settings.ollama} is not Ollama (${path})`) };
}
