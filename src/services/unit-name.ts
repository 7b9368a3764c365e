const SUFFIX = /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

/** The full name of a systemd unit: without a known suffix it is a service, as systemctl takes it. */
export const unitName = (name: string): string => (SUFFIX.test(name) ? name : `${name}.service`);
