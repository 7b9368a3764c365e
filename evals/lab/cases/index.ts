import type { LabCase } from '../lab-case.ts';
import { beyondRepair } from './beyond-repair.ts';
import { composeKilled } from './compose.ts';
import { dockerKilled } from './docker.ts';
import { killedWhileActing } from './killed-while-acting.ts';
import { pm2Killed } from './pm2.ts';
import { postgresKilled } from './postgres.ts';
import { processKilled } from './process.ts';
import { redisKilled } from './redis.ts';
import { sshKilled } from './ssh.ts';
import { supervisorKilled } from './supervisor.ts';
import { systemdKilled } from './systemd.ts';

/** All cases, in the order in which they run. */
export const cases: readonly LabCase[] = [
  processKilled,
  supervisorKilled,
  pm2Killed,
  dockerKilled,
  composeKilled,
  systemdKilled,
  sshKilled,
  redisKilled,
  postgresKilled,
  beyondRepair,
  killedWhileActing,
];
