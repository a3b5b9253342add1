'use client'

/** The slot above the navigation where one chooses the project one works in; empty while there is one only. */
export function ProjectSwitcher() {
  return null
}
