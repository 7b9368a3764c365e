import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import type { Service } from '../config/schema.ts';
import type { FileFacts, Host } from '../hosts/host.ts';
import { runConfigTest } from '../services/config-test.ts';
import type { OpsAgent } from './ops-agent.ts';
import type { AgentParts } from './parts.ts';

/** What is done once a cycle beside measuring: unanswered questions go up, messages that wait are sent, good files are kept. */
export async function housekeeping(parts: AgentParts, agent: OpsAgent, warn: (text: string) => void): Promise<void> {
  parts.store.approvals.expire();
  for (const incident of parts.store.incidents.unresolved()) {
    const reason = incident.state === 'awaiting' ? noAnswer(parts, incident.id) : null;
    if (reason === null) continue;
    parts.record(incident.id, { type: 'denied', text: reason });
    await agent.escalate(incident, reason);
  }
  const sent = await parts.outbox.flush();
  for (const problem of sent.problems) warn(problem);
  await keepGoodFiles(parts, warn);
  const backup = await parts.store.backup?.();
  if (backup && !backup.ok) warn(`no backup of the store today: ${backup.error}`);
  parts.store.settings.set('last-cycle', parts.clock.now());
}

/** Why nothing is to be waited for any more; null while a question waits, or a yes to be used. */
function noAnswer(parts: AgentParts, incident: number): string | null {
  const asked = parts.store.approvals.list({ incident });
  if (asked.some(({ state }) => state === 'waiting' || state === 'approved')) return null;
  const last = asked.at(-1);
  if (!last) return 'it waited for an answer to a question that is not there';
  if (last.state === 'denied') return `A${last.id} was denied${last.because ? `: ${last.because}` : ''}`;
  if (last.state === 'used') return `A${last.id} was approved, and could not be carried out`;
  return last.decidedAt === null
    ? `nobody answered A${last.id} in time: no answer is no`
    : `A${last.id} was approved, and its time was over before it could be carried out`;
}

/**
 * A file is kept as good while all of the service's checks pass and this says something about the file: its configuration
 * test passes, or the service was started after the file was last written. Looked at only when size or time has changed.
 */
async function keepGoodFiles(parts: AgentParts, warn: (text: string) => void): Promise<void> {
  const busy = new Set(parts.store.incidents.unresolved().map((incident) => incident.service));
  for (const service of parts.config.services.values()) {
    if (!service.files?.length || service.checks.length === 0 || busy.has(service.name)) continue;
    if (service.checks.some((check) => parts.latest(check.key)?.verdict !== 'ok')) continue;
    const host = parts.host(service.host);
    for (const path of service.files) {
      const facts = await host.fileFacts(path);
      if (!facts.ok || facts.value === null) continue;
      const name = `good.${service.name}.${path}`;
      const stamp = stampOf(facts.value);
      if (parts.store.settings.get(name) === stamp) continue;
      if (!(await isProven(parts, service, host, facts.value.modifiedAt))) continue;
      const bytes = await host.readBytes(path);
      const after = await host.fileFacts(path);
      // Written while it was read: what was read may be neither the old one nor the new.
      if (!after.ok || after.value === null || stampOf(after.value) !== stamp) continue;
      const kept = bytes.ok ? keep(parts, service.name, path, bytes.value) : bytes;
      if (!kept.ok) warn(`${path} of ${service.name} cannot be kept as a good copy: ${kept.error}`);
      parts.store.settings.set(name, stamp);
    }
  }
}

const stampOf = (facts: FileFacts): string => `${facts.modifiedAt} ${facts.sizeBytes}`;

function keep(parts: AgentParts, service: string, path: string, bytes: Uint8Array): Outcome<void> {
  try {
    return success(parts.keepGoodCopy(service, path, bytes));
  } catch (error) {
    return failure(messageOf(error));
  }
}

async function isProven(parts: AgentParts, service: Service, host: Host, modifiedAt: number): Promise<boolean> {
  const tested = await runConfigTest(service, host);
  if (tested !== null) return tested.valid === true;
  const status = await parts.manager(service.name)?.status();
  return (
    status?.ok === true &&
    status.value.since !== null &&
    status.value.since >= modifiedAt &&
    parts.clock.now() - status.value.since >= service.hold
  );
}
