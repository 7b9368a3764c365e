// The demo's worker: does a job a second and touches its heartbeat file. SIGUSR2 makes it babble into its log.
import { writeFileSync } from 'node:fs';

const heartbeat = process.argv[2] ?? 'worker.heartbeat';
let job = 0;

process.on('SIGUSR2', () => {
  const line = `${new Date().toISOString()} DEBUG retrying upload of part 17, attempt`;
  for (let attempt = 0; attempt < 40_000; attempt += 1) process.stdout.write(`${line} ${attempt}\n`);
});

setInterval(() => {
  job += 1;
  writeFileSync(heartbeat, String(job));
  console.log(`${new Date().toISOString()} job ${job} done`);
}, 1000);
