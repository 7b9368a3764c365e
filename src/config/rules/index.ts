export { checkFindings } from './checks.ts';
export { dependencyFindings } from './dependencies.ts';
export { looseInventory } from './inventory.ts';
export { nameFindings } from './names.ts';
export { portFindings } from './ports.ts';
export { secretFindings, secretWarnings } from './secrets.ts';
export { serviceFindings } from './services.ts';
