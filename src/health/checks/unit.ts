import type { Argv } from '../../hosts/host.ts';
import type { CheckRunner } from '../check.ts';
import { down, look, unmeasured } from '../finding.ts';

const PROPERTIES = ['LoadState', 'ActiveState', 'SubState', 'Result', 'NRestarts', 'MainPID', 'ExecMainStatus'];

/** A systemd unit that should be active. */
export const unit: CheckRunner<'unit'> = async (check, { host, service, signal }) => {
  const name = check.settings.unit;
  const scope = service.user ? ['--user'] : [];
  const argv: Argv = ['systemctl', ...scope, 'show', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--', name];
  const looked = await look(host, argv, { timeoutMs: check.withinMs, signal });
  if (!looked.ok) return looked.measurement;
  const shown = new Map(
    looked.text.split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1).trim()] as const;
    }),
  );
  const active = shown.get('ActiveState') ?? '';
  const sub = shown.get('SubState') ?? '';
  const result = shown.get('Result') ?? '';
  const restarts = Number(shown.get('NRestarts') ?? 0);
  const facts = { state: active, sub_state: sub, result, restarts, pid: Number(shown.get('MainPID') ?? 0) || null };
  if (active === '') return unmeasured('look-failed', `systemctl says nothing of ${name}`);
  if (shown.get('LoadState') === 'not-found') return down(check, 'not-found', `there is no unit ${name}`, { facts });
  if (active === 'active' || active === 'reloading' || active === 'refreshing')
    return { verdict: 'ok', summary: `${active} (${sub})`, facts };
  // A unit that is waiting for its next automatic start is in a loop of failures, not starting.
  const reason =
    sub === 'auto-restart' || sub === 'auto-restart-queued'
      ? 'restarting'
      : active === 'activating'
        ? 'starting'
        : active;
  const why = result === '' || result === 'success' ? '' : `, last result: ${result}`;
  const often = restarts > 0 ? `, restarted ${restarts} times` : '';
  return down(check, reason, `${active} (${sub})${why}${often}`, { facts });
};
