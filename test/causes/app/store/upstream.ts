/** The response of the upstream at a path. */
export async function ask(path: string): Promise<{ id: number; next: number }> {
  const response = await fetch(`${process.env['UPSTREAM_URL']}${path}`);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as { id: number; next: number };
}
