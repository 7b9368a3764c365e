import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import type { Config } from '../../config/schema.ts';
import { createSecrets } from '../../config/secret.ts';
import { killSwitchIn } from '../../guard/kill-switch.ts';
import { createHosts } from '../../hosts/create.ts';
import { type Host, succeeded } from '../../hosts/host.ts';
import { createModels } from '../../models/router.ts';
import { loadRunbooks } from '../../runbooks/load.ts';
import { unitName } from '../../services/unit-name.ts';
import { openStore } from '../../store/open.ts';
import { stateFolderProblem } from '../state-folder.ts';
import { count } from '../terminal.ts';
import { CannotRun, configFor, type VerbContext } from '../verb.ts';
import { restrictedKeyLine, sudoersLines } from './permissions.ts';

export interface Finding {
  state: 'ok' | 'missing' | 'note';
  about: string;
  text: string;
  /** The command or the lines that mend it. */
  remedy: string | null;
}

const ok = (about: string, text: string): Finding => ({ state: 'ok', about, text, remedy: null });
const missing = (about: string, text: string, remedy: string): Finding => ({ state: 'missing', about, text, remedy });
const note = (about: string, text: string, remedy: string | null = null): Finding => ({
  state: 'note',
  about,
  text,
  remedy,
});

/** Looks at everything that Nightshift stands on, and changes nothing. */
export async function examine(context: VerbContext): Promise<Finding[]> {
  const findings: Finding[] = [ok('node', process.version)];
  let config: Config;
  try {
    config = await configFor(context);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    return [...findings, missing('configuration', 'it cannot be used as it is', error.message)];
  }
  findings.push(configurationFinding(config));
  findings.push(stateFinding(config));
  const host = createHosts(config.hosts, systemClock);
  const names = [...new Set(['local', ...Object.keys(config.hosts)])];
  const parts = await Promise.all([
    ...names.map(async (name) => {
      const found = host(name);
      return found.ok ? hostFindings(config, found.value) : [missing(`host ${name}`, found.error, 'nightshift check')];
    }),
    modelFindings(config, context),
    runbookFindings(config),
  ]);
  return [...findings, ...parts.flat()];
}

function configurationFinding(config: Config): Finding {
  if (config.file === null)
    return note('configuration', 'none: this machine is watched as it is, and nothing is changed', 'nightshift init');
  const services = [...config.services.values()].filter((service) => !service.machine).length;
  return ok('configuration', `${config.file}: ${count(services, 'service')}, mode ${config.mode}`);
}

/** It looks, and makes nothing: a state folder that is not there yet is made by the first watch. */
function stateFinding({ stateFolder }: Config): Finding {
  const problem = stateFolderProblem(stateFolder, 'write');
  if (problem) return missing('state', problem.text, problem.remedy);
  const opened = openStore(stateFolder, { clock: systemClock, readOnly: true });
  if (!opened.ok) return missing('state', opened.error, 'nightshift watch --once');
  opened.value.close();
  if (killSwitchIn(stateFolder))
    return note(
      'state',
      `STOP is in ${stateFolder}: nothing is done until it is removed`,
      `rm ${join(stateFolder, 'STOP')}`,
    );
  return ok('state', stateFolder);
}

/** What each manager in use on a host needs there. */
const PROGRAMS: Record<string, { argv: [string, ...string[]]; package: string }> = {
  systemd: { argv: ['systemctl', '--version'], package: 'systemd' },
  docker: { argv: ['docker', 'version', '--format', '{{.Server.Version}}'], package: 'docker.io' },
  compose: { argv: ['docker', 'version', '--format', '{{.Server.Version}}'], package: 'docker.io' },
  supervisor: { argv: ['supervisorctl', 'version'], package: 'supervisor' },
  pm2: { argv: ['pm2', '--version'], package: 'npm:pm2' },
  launchd: { argv: ['launchctl', 'version'], package: '' },
  process: { argv: ['ps', '-V'], package: 'procps' },
};

async function hostFindings(config: Config, host: Host): Promise<Finding[]> {
  const services = [...config.services.values()].filter((service) => service.host === host.name && !service.machine);
  if (host.kind === 'ssh') {
    const reached = await host.run({ argv: ['true'], timeoutMs: 10_000 });
    if (!succeeded(reached)) {
      const target = config.hosts[host.name]?.ssh ?? host.name;
      return [
        missing(
          `host ${host.name}`,
          `cannot be reached: ${reached.stderr.trim() || reached.failure || reached.exitCode}`,
          `ssh-keyscan -H ${target} >> ~/.ssh/known_hosts   # compare the fingerprint first\nssh-copy-id ${target}\n# or, restricted, one line in its ~/.ssh/authorized_keys:\n${restrictedKeyLine()}`,
        ),
      ];
    }
  }
  const findings: Finding[] = host.kind === 'ssh' ? [ok(`host ${host.name}`, 'reached')] : [];
  for (const kind of new Set(services.map((service) => service.manager))) {
    const program = PROGRAMS[kind];
    if (!program) continue;
    const ran = await host.run({ argv: program.argv, timeoutMs: 10_000 });
    const about = `${kind} on ${host.name}`;
    if (succeeded(ran)) findings.push(ok(about, ran.stdout.trim().split('\n')[0] || 'there'));
    else if (ran.failure === 'not-found')
      findings.push(
        missing(
          about,
          `${program.argv[0]} is not there`,
          program.package.startsWith('npm:')
            ? `npm install -g ${program.package.slice(4)}`
            : `sudo apt-get install ${program.package}`,
        ),
      );
    else
      findings.push(
        missing(
          about,
          `${program.argv.join(' ')}: ${(ran.stderr || ran.stdout).trim().split('\n')[0] || ran.failure}`,
          kind === 'docker' || kind === 'compose'
            ? `sudo systemctl start docker; sudo usermod -aG docker ${userInfo().username}`
            : `${program.argv.join(' ')}   # look at what it says`,
        ),
      );
  }
  const systemd = services.filter((service) => service.manager === 'systemd' && !service.user);
  if (systemd.length > 0 && config.mode !== 'observe' && (host.kind === 'ssh' || process.getuid?.() !== 0)) {
    const allowed = await host.run({
      // Asks sudo whether it would, and does nothing.
      argv: ['sudo', '-n', '-l', 'systemctl', 'restart', unitName(systemd[0]?.unit ?? '')],
      timeoutMs: 5000,
    });
    if (!succeeded(allowed))
      findings.push(
        missing(
          `sudo on ${host.name}`,
          'its units cannot be started or stopped by this user',
          `# one file, /etc/sudoers.d/nightshift (check it with visudo -cf):\n${sudoersLines(userInfo().username, systemd)}`,
        ),
      );
  }
  return findings;
}

async function modelFindings(config: Config, context: VerbContext): Promise<Finding[]> {
  const models = createModels(config.models, {
    clock: systemClock,
    secret: createSecrets(context.environment, config.file === null ? context.directory : dirname(config.file)),
  });
  if (models.length === 0) {
    return [
      note(
        'model',
        'none configured: checks, runbooks, memory and escalation work without one',
        'ollama pull qwen3.5:9b   # then in nightshift.yaml: models: [ { ollama: { model: "qwen3.5:9b" } } ]',
      ),
    ];
  }
  const probed = await models.probe(AbortSignal.timeout(10_000));
  return probed.map((model) =>
    model.ready
      ? ok(`model ${model.name}`, model.message)
      : missing(`model ${model.name}`, model.message, model.remedy ?? 'nightshift doctor   # again, once it is there'),
  );
}

async function runbookFindings(config: Config): Promise<Finding[]> {
  const { runbooks, problems } = await loadRunbooks({ paths: config.runbooks, config });
  const errors = problems.filter((problem) => problem.severity === 'error');
  return [
    ok(
      'runbooks',
      `${runbooks.length} loaded, ${runbooks.filter((runbook) => !runbook.shipped).length} of them your own`,
    ),
    ...errors.map((problem) =>
      missing(
        'runbook',
        `${problem.file}:${problem.line}:${problem.column} ${problem.message}`,
        `vi +${problem.line} ${problem.file}`,
      ),
    ),
  ];
}
