import { decide } from './approve.ts';
import type { Verb } from '../verb.ts';

/** Refuses one action: the incident goes up to a person. */
const deny: Verb = async (context) => decide(context, 'denied');
export default deny;
