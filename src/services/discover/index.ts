export { discoveryConfig } from '../../config/from-discovery.ts';
export { discover } from './discover.ts';
