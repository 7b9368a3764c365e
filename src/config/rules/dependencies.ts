import type { Finding } from '../explain.ts';
import { nearest } from '../nearest.ts';
import type { PathPart } from '../problem.ts';
import { type LooseInventory, recordAt } from './inventory.ts';

/** Services that depend on nothing that exists, on themselves, or in a circle; each circle is told once, all the way round. */
export function dependencyFindings({ root, services }: LooseInventory): Finding[] {
  const findings: Finding[] = [];
  const byName = new Map(services.map((service) => [service.name, service]));
  const names = Object.keys(recordAt(root, ['services']));
  for (const service of services) {
    for (const need of service.dependsOn) {
      if (need.name === service.name) {
        findings.push({ path: need.path, at: 'value', message: `${service.name} depends on itself` });
      } else if (need.name === 'machine' || need.name.startsWith('machine@')) {
        const message = 'a service needs its host without saying so; only services can be named here';
        findings.push({ path: need.path, at: 'value', message });
      } else if (!names.includes(need.name)) {
        const others = names.filter((name) => name !== service.name);
        const meant = nearest(need.name, others);
        findings.push({
          path: need.path,
          at: 'value',
          message: `there is no service ${need.name.slice(0, 60)}`,
          ...(meant === null ? {} : { suggestion: meant }),
        });
      }
    }
  }

  const done = new Set<string>();
  const visit = (name: string, trail: { name: string; via: PathPart[] }[]): void => {
    const service = byName.get(name);
    if (!service || done.has(name)) return;
    for (const need of service.dependsOn) {
      if (need.name === name) continue;
      const start = trail.findIndex((each) => each.name === need.name);
      if (start >= 0) {
        const circle = [...trail.slice(start).map((each) => each.name), need.name];
        findings.push({ path: need.path, at: 'value', message: `a circle: ${circle.join(' → ')}` });
      } else {
        visit(need.name, [...trail, { name: need.name, via: need.path }]);
      }
    }
    done.add(name);
  };
  for (const service of services) visit(service.name, [{ name: service.name, via: service.path }]);
  return findings;
}
