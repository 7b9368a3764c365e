export { createHosts, type Hosts } from './create.ts';
export { createLocalHost } from './local.ts';
export { createSshHost } from './ssh.ts';
