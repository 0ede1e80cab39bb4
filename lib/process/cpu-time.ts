/** CPU time that this process has used, in milliseconds: some half a microsecond to read. */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
