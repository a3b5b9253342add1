import type { Queries } from '../db/client.ts'

/** IANA zone of the home, which its schedules follow. */
export async function timezoneOf(queries: Queries): Promise<string> {
  return (await queries.home.findFirst({ select: { timezone: true } }))?.timezone ?? 'UTC'
}
