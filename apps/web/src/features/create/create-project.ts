'use client'
import { useState } from 'react'
import { type SessionView, useProjects, useSession } from '../../data/hooks.ts'
import { useChosenProject } from '../../lib/chosen-project.ts'

type Own = SessionView['projects'][number]

/** The project a new VM goes to: the one chosen here, else the one one works in, else the first one may use. */
export function useCreateProject() {
  const { session } = useSession()
  const { projects: views } = useProjects()
  const chosen = useChosenProject()
  const [here, choose] = useState<number | null>(null)
  const usable: readonly Own[] = session?.projects.filter(({ role }) => role !== 'viewer') ?? []
  const own = usable.find(({ id }) => id === here) ?? usable.find(({ id }) => id === chosen) ?? usable[0]
  return { projects: usable, project: own && views?.find(({ id }) => id === own.id), choose }
}
