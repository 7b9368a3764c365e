import type { Outcome } from '../../src/base/outcome.ts';
import type { Service } from '../../src/config/schema.ts';
import { formatSpan } from '../../src/health/format.ts';
import { runConfigTest } from '../../src/services/config-test.ts';
import type { Manager, ServiceStatus } from '../../src/services/manager.ts';
import type { ToolContext } from '../tool.ts';
import { whatCameBack } from './say.ts';

/** A service with its manager and its state as measured now, or why nothing can be done with it. */
type Managed = { service: Service; manager: Manager; status: ServiceStatus } | { refusal: string };

export async function managed(name: string, context: ToolContext): Promise<Managed> {
  const service = context.service(name);
  const manager = context.manager(name);
  if (!manager) return { refusal: `${name} has no manager that could do it` };
  const status = await manager.status();
  if (!status.ok) return { refusal: `the state of ${name} is not known, so it is left alone: ${status.error}` };
  return { service, manager, status: status.value };
}

/** Why a service is neither started nor restarted now; null when it may be. */
export function leaveAlone({ service, status }: Exclude<Managed, { refusal: string }>, now: number): string | null {
  if (status.stoppedOnPurpose === true)
    return `a person stopped ${service.name} on purpose; it stays stopped until a person starts it`;
  // One that is started again and again is "starting" each time; waiting does not help it.
  const looping = (status.restarts ?? 0) > 2;
  if (status.state === 'starting' && !looping && status.since !== null && now - status.since < service.starts_within)
    return `${service.name} is starting since ${formatSpan(now - status.since)} and may take ${formatSpan(service.starts_within)}; it is left alone until then`;
  return null;
}

/** What the `config_test` of a service has against it; null when it passes, there is none, or it could not judge. */
export async function configTrouble(service: Service, context: ToolContext): Promise<string | null> {
  const host = context.host(service.host);
  const tested = await runConfigTest(service, host, context.signal);
  return tested?.valid === false ? whatCameBack(tested.result, host) : null;
}

/** Most managers' summaries begin with the state. */
const stateOf = ({ state, summary }: Pick<ServiceStatus, 'state' | 'summary'>): string =>
  summary.startsWith(state) ? summary : `${state}, ${summary}`;

/** What a manager did, with the state it led to: the manager's word alone is not enough. */
export async function afterwards(
  did: Outcome<string>,
  manager: Manager,
): Promise<{ ok: boolean; text: string; state: string }> {
  const status = await manager.status();
  const state = status.ok ? status.value.state : 'unknown';
  const now = status.ok ? `now: ${stateOf(status.value)}` : `its state is not known: ${status.error}`;
  return { ok: did.ok, text: `${did.ok ? did.value : did.error}; ${now}`, state };
}
