import type { ProjectView } from '../../../server/views/index.ts'

/** How many requests for more quota wait for an answer that the viewer may give. */
export function openRequests(projects: readonly Pick<ProjectView, 'requests'>[]): number {
  return projects
    .flatMap(({ requests }) => requests)
    .filter(({ status, can }) => status === 'open' && can.grant.ok).length
}
